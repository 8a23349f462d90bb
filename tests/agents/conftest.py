"""The baseline agent is no installed package: it is a folder whose modules import each other."""

from __future__ import annotations

import sys
from pathlib import Path

from mlebench.content import content_dir

sys.path.insert(0, str(content_dir("agents") / "baseline"))
sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves helpers beside the tests to us
