"""scripts/check_gpu.py finds what works and what does not (here with a fake NVML and a fake PyTorch)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_gpu.py"
SHIM = Path(__file__).parent / "shim"


def check(tmp_path: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(SHIM), str(SCRIPT.parents[1]), os.environ.get("PYTHONPATH", "")])
    facts = {**os.environ, "PYTHONPATH": path, "FAKE_BUSY": str(tmp_path / "busy"), **environment}
    command = [sys.executable, str(SCRIPT), "--seconds", "1.2", *options]
    return subprocess.run(command, env=facts, capture_output=True, text=True, timeout=120)


def test_all_is_well(tmp_path: Path):
    done = check(tmp_path, "--json", str(tmp_path / "facts.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout and " 0 failed" in done.stdout
    assert "GPU 1 (NVIDIA H200): GPU-00000001" in done.stdout and "PyTorch" in done.stdout
    assert json.loads((tmp_path / "facts.json").read_text())["driver"] == "570.86.15"


def test_a_load_that_is_not_seen_fails(tmp_path: Path):
    done = check(tmp_path, "--gpu", "1")  # the fake computes on the first
    assert done.returncode == 1
    assert "FAILED  the load's memory is seen" in done.stdout and "ok      a lease" in done.stdout


def test_no_gpu(tmp_path: Path):
    done = check(tmp_path, FAKE_GPUS="0")
    assert done.returncode == 1 and "none can be used on this machine" in done.stdout
