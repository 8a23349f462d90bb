"""Helpers of these tests, and the tree of commands one folder up."""

from __future__ import annotations

import sys
from pathlib import Path

# importlib mode leaves helpers beside the tests to us
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
