#!/usr/bin/env python3
"""Measure preparing every competition from synthetic data, installing, and starting up.

    python scripts/bench_first_steps.py [IDS] [--install] [--markdown | --json] [--check]

Preparing runs as a user would run it: `mlebench prepare --source synthetic --jobs 2` into an empty data directory. Peak
memory is that of all its processes together. The seconds of a competition are those that it reports (raw data, split,
hashes); two run at a time. `--install` adds `pip install .` into a fresh virtual environment, measured with whatever
packages pip has in its cache. Start-up is the best of five.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench.processes import Measured, run_measured
from bench.tables import machine, markdown_table, text_table

ROOT = Path(__file__).resolve().parent.parent
SECONDS, MEMORY_MB, INSTALLED_MB, START_MS = 240.0, 2048.0, 500.0, 500.0
"""Limits of --check: preparing everything, its peak memory, the installed size, `--help` and `list`."""
STARTS = (["--help"], ["list"])


def main() -> int:
    options = _options()
    options.dir.mkdir(parents=True, exist_ok=True)
    figures: dict[str, float] = {}
    slowest: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory(dir=options.dir) as scratch:
        mlebench = [sys.executable, "-m", "mlebench"]
        if options.install:
            figures |= _install(Path(scratch) / "venv")
            mlebench = [str(Path(scratch) / "venv" / "bin" / "mlebench")]
        for words in STARTS:
            best = min((run_measured([*mlebench, *words]) for _ in range(5)), key=lambda one: one.seconds)
            figures[f"start_ms {words[0]}"] = 1000 * best.seconds
        if not options.start_only:
            wanted = options.ids or _all_ids()
            measured, results = _prepare(wanted, Path(scratch) / "data", options.jobs)
            figures |= {
                "prepared": len(results),
                "prepare_s": measured.seconds,
                "prepare_cpu_s": measured.cpu,
                "prepare_peak_mb": measured.peak_mb,
                "prepared_mb": sum(one["bytes"] for one in results) / 2**20,
            }
            slowest = sorted(((one["competition"], one["seconds"]) for one in results), key=lambda pair: -pair[1])
    _show(figures, slowest, options)
    faults = _faults(figures)
    if options.check:
        for fault in faults:
            print(f"over the limit: {fault}", file=sys.stderr)
    return int(options.check and bool(faults))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="IDS", help="competitions; without: the 82 of the benchmark")
    parser.add_argument("--dir", type=Path, default=Path(".cache/bench"), help="scratch folder")
    parser.add_argument("--jobs", type=int, default=2, help="how many are prepared at once (default 2)")
    parser.add_argument("--install", action="store_true", help="measure installation too (needs a package index)")
    parser.add_argument("--start-only", action="store_true", help="do not prepare anything")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--markdown", action="store_true", help="print markdown tables")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"exit code 1 when preparing takes more than {SECONDS:g} s or {MEMORY_MB:g} MB, the installation more than "
        f"{INSTALLED_MB:g} MB, or a start more than {START_MS:g} ms",
    )
    return parser.parse_args()


def _all_ids() -> list[str]:
    from mlebench.registry import Registry

    return [name for name in Registry().ids() if not name.startswith("practice-")]


def _prepare(ids: list[str], data_dir: Path, jobs: int) -> tuple[Measured, list[dict]]:
    command = [sys.executable, "-m", "mlebench", "prepare", *ids, "--source", "synthetic", "--jobs", str(jobs)]
    # Exit code 1: some could not be prepared; the report says which.
    measured = run_measured([*command, "--data-dir", str(data_dir), "--json"], accepted=(0, 1))
    report = json.loads(measured.output)
    for failure in report["failed"]:
        print(f"FAILED {failure['competition']}: {failure['message']}", file=sys.stderr)
    shutil.rmtree(data_dir)
    return measured, report["prepared"]


def _install(venv: Path) -> dict[str, float]:
    made = run_measured([sys.executable, "-m", "venv", str(venv)])
    empty = _size(venv)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = run_measured([*pip, "--constraint", str(ROOT / "constraints.txt"), str(ROOT)])
    return {"install_s": made.seconds + done.seconds, "installed_mb": (_size(venv) - empty) / 2**20}


def _size(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def _faults(figures: dict[str, float]) -> list[str]:
    limits = {
        "prepare_s": SECONDS,
        "prepare_peak_mb": MEMORY_MB,
        "installed_mb": INSTALLED_MB,
        **{name: START_MS for name in figures if name.startswith("start_ms")},
    }
    return [f"{name} is {figures[name]:.0f}" for name, most in limits.items() if figures.get(name, 0.0) > most]


def _show(figures: dict[str, float], slowest: list[tuple[str, float]], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps({"machine": machine(), **figures, "seconds": dict(slowest)}, indent=2))
        return
    rows = [[name.replace("_", " "), f"{value:,.1f}"] for name, value in figures.items()]
    table = markdown_table if options.markdown else text_table
    print(table(["figure", "value"], rows))
    if slowest:
        shown = slowest if options.markdown else slowest[:10]
        print("\n" + table(["competition", "seconds"], [[name, f"{value:.2f}"] for name, value in shown]))
    print(f"\n{machine()}")


if __name__ == "__main__":
    sys.exit(main())
