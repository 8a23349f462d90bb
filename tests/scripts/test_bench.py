"""The benchmark scripts: their files are well-formed, their figures are of the right kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_grading_is_measured_on_as_many_rows_as_the_real_test_set_has(tmp_path: Path) -> None:
    done = run("bench_grading.py", "aerial-cactus-identification", "--dir", str(tmp_path), "--json", "--keep")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert result["rows"] == 3325
    assert 0 < result["warm"] < result["seconds"] < result["whole"]
    assert 10 < result["peak_mb"] < 1000
    assert 0.5 < result["score"] < 1
    table = run("bench_grading.py", "aerial-cactus-identification", "--dir", str(tmp_path), "--markdown").stdout
    assert "| aerial-cactus-identification | 3,325 |" in table
    assert not list(tmp_path.glob("submissions/*")), "without --keep, the files go"


def test_a_file_over_the_limits_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    import bench_grading
    from bench.measure import Graded

    good = Graded("a", 10, 1.0, 0.9, 0.5, 0.8, 0.01, 100.0, 0.5)
    slow = Graded("b", 10, 9.0, 8.0, 0.5, 7.0, 0.01, 100.0, 0.5)
    large = Graded("c", 10, 1.0, 0.9, 0.5, 0.8, 0.5, 4000.0, 0.5)
    assert bench_grading._faults([good]) == []
    assert [fault.split()[0] for fault in bench_grading._faults([good, slow])] == ["b"]
    assert len(bench_grading._faults([large])) == 2  # memory, and the median of the warm seconds


def test_copies_have_ids_of_their_own() -> None:
    from bench.cases import _copies

    frame = pd.DataFrame({"id": ["s1_a", "s1_b"], "group": ["s1", "s1"], "y": ["1", "0"]})
    big = _copies(frame, "id", 40)
    assert big["id"].is_unique
    assert big.groupby("group").size().tolist() == [2] * 40
    assert all(i.startswith(g + "_") for i, g in zip(big["id"], big["group"], strict=True))
    numbers = _copies(pd.DataFrame({"id": ["5", "7", "0"]}), "id", 3)["id"]
    assert numbers.astype(int).is_unique
    assert set(frame["id"]) <= set(big["id"])


def test_spoilt_predictions_keep_to_their_rules() -> None:
    from bench.cases import _spoilt

    from mlebench.competition import Columns

    rng = np.random.default_rng(0)
    shares = pd.DataFrame({"a": [1, 0, 0], "b": [0, 1, 1]})
    number = Columns(names=["a"], type="number")
    assert np.allclose(_spoilt(shares, {"a": number, "b": number}, rng).sum(axis=1), 1)
    bounded = {"a": Columns(names=["a"], type="number", above=0, max=50)}
    guess = _spoilt(pd.DataFrame({"a": [0.1, 40.0, 50.0]}), bounded, rng)["a"]
    assert guess.gt(0).all() and guess.le(50).all()
    classes = _spoilt(pd.DataFrame({"a": ["x", "y"] * 50}), {"a": Columns(names=["a"], type="text")}, rng)["a"]
    assert set(classes) == {"x", "y"}


def test_memory_of_all_processes_is_watched() -> None:
    from bench.processes import run_measured

    child = "import time; held = bytearray(b'1' * (120 << 20)); time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    took = run_measured([sys.executable, "-c", parent])
    assert 120 < took.peak_mb < 500
    assert took.seconds > 1
    with pytest.raises(RuntimeError, match="no such luck"):
        run_measured([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_starting_is_measured() -> None:
    done = run("bench_first_steps.py", "--start-only", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["start_ms --help"] > 10 and figures["start_ms list"] > 10


def test_preparing_is_measured_beside_the_plain_tools(tmp_path: Path) -> None:
    cases = ("pictures", "zip")
    done = run("bench_prepare.py", *cases, "--size", "0.002", "--rounds", "1", "--dir", str(tmp_path), "--markdown")
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith(("| pictures:", "| zip:"))]
    assert [row[1].strip() for row in rows[::3]] == ["pictures: mlebench", "zip: mlebench"]
    assert [row[1].strip() for row in rows[1::3]] == ["pictures: cp -r", "zip: unzip"]
    on_disk = [float(row[9].strip(" %")) for row in rows]
    assert on_disk[1] == pytest.approx(100, abs=1) and on_disk[3] < 105
    assert list(tmp_path.iterdir()) == []


def test_preparing_that_is_slower_or_larger_than_it_may_be_is_told() -> None:
    from bench.processes import Measured
    from bench_prepare import Tool, _faults

    def tool(seconds: float, on_disk: int = 1000, *, whole: bool = True) -> Tool:
        rounds = [Measured(seconds * 2, 1.0, 10.0, ""), Measured(seconds, 1.0, 10.0, "")]
        return Tool("t", lambda to: [], whole=whole, rounds=rounds, on_disk=on_disk)

    mover, rival, slow_rival = tool(0.1, whole=False), tool(10.0), tool(20.0)
    assert _faults("c", [tool(12.9), mover, rival, slow_rival], 1000) == []
    assert "1.50 x" in _faults("c", [tool(15.0), mover, rival, slow_rival], 1000)[0]
    assert "110.0 %" in _faults("c", [tool(5.0, 1100), mover, rival], 1000)[0]
