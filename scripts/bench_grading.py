#!/usr/bin/env python3
"""Measure grading on submissions and answers of real size: seconds and peak memory of every competition.

    python scripts/bench_grading.py [IDS] [--markdown | --json] [--check]

Each submission is graded in a fresh process, as `mlebench grade` does it. `fresh` counts from the first import to the
report (not the start of the interpreter itself, which `process` includes), `grading` is the same without the imports that
every competition needs, `cpu` is the processor time of `fresh`, `warm` a second grading in the same process: nothing is
imported, but the answers are read anew. Grading all of them with one command imports once: that is the total of `grading`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from pathlib import Path

from bench.cases import make_case
from bench.measure import Graded, measure_grading
from bench.tables import machine, markdown_table, text_table

from mlebench.registry import Registry

TOTAL, SLOWEST, MEMORY_MB, MEDIAN_WARM = 35.0, 6.0, 2048.0, 0.1
"""Limits of --check: grading seconds over all, fresh seconds and peak memory of each, median of the warm seconds."""
HEADINGS = ["competition", "rows", "grading s", "fresh s", "process s", "cpu s", "warm s", "peak MB"]


def main() -> int:
    options = _options()
    registry = Registry()
    ids = options.ids or [name for name in registry.ids() if not name.startswith("practice-")]
    results: list[Graded] = []
    failures: list[str] = []
    for name in ids:
        try:
            case = make_case(registry.get(name), options.dir.resolve(), tell=_tell)
            best = min((measure_grading(case) for _ in range(options.repeat)), key=lambda graded: graded.seconds)
        except Exception as error:  # whatever is wrong with one, the others are measured
            failures.append(f"{name}: {type(error).__name__}: {error}")
            _tell(f"FAILED {failures[-1]}")
            continue
        results.append(best)
        _tell(f"{name}: {best.seconds:.2f} s, {best.peak_mb:.0f} MB")
        if not options.keep:
            shutil.rmtree(case.paths.home)
            case.submission.unlink()
    if not results:
        return 1
    _show(results, options)
    faults = [*failures, *_faults(results)]
    if options.check:
        for fault in faults:
            print(f"over the limit: {fault}", file=sys.stderr)
    return int(bool(failures) or (options.check and bool(faults)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="IDS", help="competitions; without: all of them")
    parser.add_argument("--dir", type=Path, default=Path(".cache/bench"), help="where the made files go")
    parser.add_argument("--keep", action="store_true", help="keep the made files (about 5 GB) for the next time")
    parser.add_argument("--repeat", type=int, default=1, help="measure so often and show the quickest")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--markdown", action="store_true", help="print a markdown table")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"exit code 1 when grading seconds exceed {TOTAL:g} in all, fresh seconds {SLOWEST:g} for one, peak memory "
        f"{MEMORY_MB:g} MB, or the median of warm seconds exceeds {MEDIAN_WARM:g}",
    )
    return parser.parse_args()


def _summary(results: list[Graded]) -> dict[str, float]:
    return {
        "competitions": len(results),
        "total": sum(one.seconds - one.imports for one in results),
        "total_fresh": sum(one.seconds for one in results),
        "total_cpu": sum(one.cpu for one in results),
        "median": statistics.median(one.seconds for one in results),
        "median_warm": statistics.median(one.warm for one in results),
        "slowest": max(one.seconds for one in results),
        "peak_mb": max(one.peak_mb for one in results),
    }


def _faults(results: list[Graded]) -> list[str]:
    summary = _summary(results)
    faults = [f"{one.competition} takes {one.seconds:.1f} s" for one in results if one.seconds > SLOWEST]
    faults += [f"{one.competition} needs {one.peak_mb:.0f} MB" for one in results if one.peak_mb > MEMORY_MB]
    if summary["total"] > TOTAL:
        faults.append(f"all together take {summary['total']:.1f} s")
    if summary["median_warm"] > MEDIAN_WARM:
        faults.append(f"the median in a warm process is {summary['median_warm']:.3f} s")
    return faults


def _show(results: list[Graded], options: argparse.Namespace) -> None:
    summary = _summary(results)
    if options.json:
        print(json.dumps({"machine": machine(), **summary, "results": [one.to_json() for one in results]}, indent=2))
        return
    rows = [
        [
            one.competition,
            f"{one.rows:,}",
            f"{one.seconds - one.imports:.2f}",
            f"{one.seconds:.2f}",
            f"{one.whole:.2f}",
            f"{one.cpu:.2f}",
            f"{one.warm:.3f}",
            f"{one.peak_mb:.0f}",
        ]
        for one in sorted(results, key=lambda one: -one.seconds)
    ]
    for word, measure in (("total", sum), ("median", statistics.median), ("maximum", max)):
        columns = ("seconds", "whole", "cpu", "warm")
        values = [measure([one.seconds - one.imports for one in results])]
        values += [measure([getattr(one, name) for one in results]) for name in columns]
        memory = "" if word == "total" else f"{measure([one.peak_mb for one in results]):.0f}"
        rows.append([word, "", *(f"{value:.2f}" for value in values[:4]), f"{values[4]:.3f}", memory])
    print((markdown_table if options.markdown else text_table)(HEADINGS, rows))
    print(f"\n{len(results)} competitions; {machine()}")


def _tell(line: str) -> None:
    if sys.stderr.isatty() or os.environ.get("BENCH_VERBOSE"):
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
