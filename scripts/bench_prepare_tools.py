#!/usr/bin/env python3
"""Measure preparing beside the plain tools that move the same bytes: cp, unzip, and pandas on one large table.

    python scripts/bench_prepare_tools.py [pictures] [table] [zip] [--rounds 3] [--size 1.0] [--markdown]

pictures: 50,000 pictures of 28 kB in a folder of the user's, beside `cp -r`
table:    a CSV of 2 GB in the data directory, beside `cp`, and beside pandas reading, reordering and writing it at once
zip:      a zip of 100,000 pictures of 8 kB, beside `unzip`

Each command runs in turn, `--rounds` times, after a sync and with everything in the page cache as far as it fits; the
quickest round counts. "written" is what the kernel counted for the command and its children, "on disk" what the result
adds to the disk (hard links count once), both relative to the raw files. `--size` scales the number of files and rows.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from bench.processes import run_measured
from bench.tables import machine, markdown_table, text_table

from mlebench.data.disk import bytes_below
from mlebench.registry import Registry

PICTURES, ZIPPED, ROWS = 50_000, 100_000, 19_000_000
PICTURE_BYTES, ZIPPED_BYTES = 27_750, 8_000
PICTURE_COMPETITION, TABLE_COMPETITION = "histopathologic-cancer-detection", "new-york-city-taxi-fare-prediction"
PLAIN_PANDAS = """
import sys, numpy, pandas
raw, out = sys.argv[1:]
table = pandas.read_csv(raw)
order = numpy.random.RandomState(0).permutation(len(table))
train, test = table.iloc[order[9914:]], table.iloc[order[:9914]]
train.to_csv(out + "/labels.csv", index=False)
test.to_csv(out + "/answers.csv", index=False)
test.drop(columns="fare_amount").to_csv(out + "/test.csv", index=False)
"""


@dataclass
class Tool:
    """One way to do it."""

    name: str
    command: Callable[[Path], list[str]]
    """Given an empty folder for what it makes."""
    before: Callable[[Path], None] = lambda _: None
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    written: int = 0
    on_disk: int = 0


def main() -> int:
    options = _options()
    options.dir.mkdir(parents=True, exist_ok=True)
    cases = {"pictures": _pictures, "table": _table, "zip": _zip}
    print(machine())
    headings = ["", "seconds", "x tool", "peak MB", "written", "on disk"]
    for case in options.cases or cases:
        with tempfile.TemporaryDirectory(dir=options.dir) as folder:
            raw, tools = cases[case](Path(folder), options.size)
            _measure(tools, Path(folder), raw, options.rounds)
            size, rows = bytes_below(raw, set()), []
            for tool in tools:
                ratio = "" if tool is tools[0] else f"{min(tools[0].seconds) / min(tool.seconds):.2f}"
                cells = [f"{min(tool.seconds):.1f}", ratio, f"{tool.peak_mb:.0f}"]
                shares = [f"{100 * count / size:.1f} %" for count in (tool.written, tool.on_disk)]
                rows.append([f"{case}: {tool.name}", *cells, *shares])
            print(f"\n{case}: {size / 1e9:.2f} GB of raw files; load now {os.getloadavg()[0]:.1f}\n")
            print((markdown_table if options.markdown else text_table)(headings, rows), flush=True)
    return 0


def _measure(tools: list[Tool], folder: Path, raw: Path, rounds: int) -> None:
    for _ in range(rounds):
        for tool in tools:
            target = folder / "made"
            target.mkdir()
            tool.before(target)
            os.sync()
            blocks = resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock
            took = run_measured(tool.command(target))
            tool.written = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock - blocks) * 512
            tool.seconds.append(took.seconds)
            tool.peak_mb = max(tool.peak_mb, took.peak_mb)
            seen: set[tuple[int, int]] = set()
            if raw.parent == folder and tool.name == "mlebench" and raw.name == "raw":
                bytes_below(raw, seen)  # stays the user's; what we share with it is no more on the disk
            tool.on_disk = bytes_below(target, seen)
            shutil.rmtree(target)


def _prepare(competition: str, target: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "mlebench", "prepare", competition, "--data-dir", str(target)]
    return [*command, *options]


def _pictures(folder: Path, size: float) -> tuple[Path, list[Tool]]:
    raw = folder / "raw"
    _write_pictures(raw, int(PICTURES * size), PICTURE_BYTES)
    return raw, [
        Tool("mlebench", lambda to: _prepare(PICTURE_COMPETITION, to, "--source", str(raw))),
        Tool("cp -r", lambda to: ["cp", "-r", str(raw), str(to)]),
        Tool(
            "cp -rl + sha256sum", lambda to: ["sh", "-c", f"cp -rl {raw} {to} && find {to} -type f | xargs sha256sum"]
        ),
    ]


def _zip(folder: Path, size: float) -> tuple[Path, list[Tool]]:
    raw, archive = folder / "unzipped", folder / "raw.zip"
    _write_pictures(raw, int(ZIPPED * size), ZIPPED_BYTES)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for path in sorted(raw.rglob("*.*")):
            out.write(path, path.relative_to(raw))
    return raw, [
        Tool("mlebench", lambda to: _prepare(PICTURE_COMPETITION, to, "--source", str(archive))),
        Tool("unzip", lambda to: ["unzip", "-q", str(archive), "-d", str(to)]),
        Tool(
            "unzip + sha256sum",
            lambda to: ["sh", "-c", f"unzip -q {archive} -d {to} && find {to} -type f | xargs sha256sum"],
        ),
    ]


def _table(folder: Path, size: float) -> tuple[Path, list[Tool]]:
    raw = folder / "kept"
    raw.mkdir()
    competition = Registry().get(TABLE_COMPETITION)
    piece = folder / "piece"
    piece.mkdir()
    competition.make_raw(piece, seed=0, scale=50)
    header, _, body = (piece / "train.csv").read_bytes().partition(b"\n")
    rows = body.count(b"\n")
    with (raw / "train.csv").open("wb") as out:
        out.write(header + b"\n")
        for _ in range(max(1, int(ROWS * size) // rows)):
            out.write(body)
    (piece / "train.csv").unlink()
    for path in piece.iterdir():
        path.rename(raw / path.name)

    def as_raw(target: Path) -> None:
        shutil.copytree(raw, target / TABLE_COMPETITION / "raw", copy_function=os.link)

    return raw, [
        Tool("mlebench", lambda to: _prepare(TABLE_COMPETITION, to, "--no-keep-raw"), as_raw),
        Tool("cp -r", lambda to: ["cp", "-r", str(raw), str(to)]),
        Tool("pandas, all at once", lambda to: [sys.executable, "-c", PLAIN_PANDAS, str(raw / "train.csv"), str(to)]),
    ]


def _write_pictures(raw: Path, count: int, size: int) -> None:
    """Files that hardly shrink, as pictures do, a fifth of them in test/, and the table of labels."""
    rng = np.random.default_rng(0)
    content = rng.integers(0, 200, 4 * size + count, dtype=np.uint8).tobytes()
    for part, first, last in (("train", 0, count * 4 // 5), ("test", count * 4 // 5, count)):
        (raw / part).mkdir(parents=True)
        for number in range(first, last):
            (raw / part / f"{number:040x}.tif").write_bytes(content[number : number + size])
    labels = "".join(f"{number:040x},{number % 2}\n" for number in range(count * 4 // 5))
    (raw / "train_labels.csv").write_text("id,label\n" + labels)
    (raw / "sample_submission.csv").write_text("id,label\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="pictures, table, zip [default: all]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()), help="where the files are made")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
