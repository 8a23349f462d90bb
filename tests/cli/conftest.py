"""The tree of commands is used by the documentation's tests too, so it lies one folder up."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # importlib mode leaves helpers beside the tests to us
