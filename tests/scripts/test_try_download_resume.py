"""The short form of scripts/try_download_resume.py: cuts and kills lose nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "scripts" / "try_download_resume.py"


def _script():
    spec = importlib.util.spec_from_file_location("try_download_resume", _SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("keep_raw", [False, True])
def test_cuts(tmp_path: Path, keep_raw: bool) -> None:
    result = _script().try_cuts(tmp_path, megabytes=8, cut=1, keep_raw=keep_raw)
    assert result["exit"] == 0 and result["identical"], result
    assert result["connections"] == 9 and result["sent_twice"] <= 2_000_000


def test_kills(tmp_path: Path) -> None:
    result = _script().try_kills(tmp_path, megabytes=8, kills=3, seed=1, seconds=2.0)
    assert result["exit"] == 0 and result["identical"] and result["nothing_lost"], result
