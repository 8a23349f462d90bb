#!/usr/bin/env python3
"""Measure preparing beside the plain tools that move the same bytes: cp, unzip, and pandas on one large table.

    python scripts/bench_prepare.py [pictures] [table] [zip] [zipped-table] [--rounds 3] [--size 1.0] [--markdown] [--check]

pictures: 50,000 pictures of 28 kB in a folder of the user's, beside `cp -r`
table:    a CSV of 2 GB in the data directory, beside pandas reading, reordering and writing it at once (and `cp -r`)
zip:      a zip of 100,000 pictures of 8 kB, beside `unzip`
zipped-table: the same table in a zip, beside `unzip` and then pandas

Each round runs every tool once, in an order that turns from round to round, after a sync and with everything in the page
cache as far as it fits. "x tool" is mlebench's quickest round over that of the cheapest tool that could do the whole of
it (cp cannot split a table), "round by round" the median of the same ratio within each round, which what else the
machine does changes least; "cpu" are processor seconds of the quickest round. "written" is what the kernel counted for
the command and its children, "on disk" what the result adds to the disk (hard links count once), both relative to the
raw files. `--size` scales the number of files and rows.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from bench.processes import Measured, run_measured
from bench.tables import machine, markdown_table, text_table

from mlebench.data.archives import zip_folder
from mlebench.data.disk import bytes_below
from mlebench.registry import Registry

SLOWER, LARGER = 1.3, 1.05
"""Limits of --check: seconds over those of the cheapest tool, bytes on disk over those of the raw files."""
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
    whole: bool = True
    """Whether it does all of the work, and not only moves the bytes."""
    rounds: list[Measured] = field(default_factory=list)
    written: int = 0
    on_disk: int = 0

    @property
    def best(self) -> Measured:
        """The quickest round."""
        return min(self.rounds, key=lambda one: one.seconds)

    def against(self, other: Tool) -> tuple[float, float]:
        """Seconds over the other's: of the quickest rounds, and the median of each round's."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return (
            self.best.seconds / other.best.seconds,
            statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs),
        )


def main() -> int:
    options = _options()
    options.dir.mkdir(parents=True, exist_ok=True)
    cases = {"pictures": _pictures, "table": _table, "zip": _zip, "zipped-table": _zipped_table}
    print(machine())
    headings = ["", "seconds", "median", "cpu s", "x tool", "round by round", "peak MB", "written", "on disk"]
    faults: list[str] = []
    for case in options.cases or cases:
        with tempfile.TemporaryDirectory(dir=options.dir) as folder:
            raw, tools = cases[case](Path(folder), options.size)
            loads = _measure(tools, Path(folder), raw, options.rounds)
            size = bytes_below(raw, set())
        rows = [_row(case, tool, tools[0], size) for tool in tools]
        faults += _faults(case, tools, size)
        print(f"\n{case}: {size / 1e9:.2f} GB of raw files, {options.rounds} rounds, load {min(loads):.1f} to", end="")
        print(
            f" {max(loads):.1f}\n\n" + (markdown_table if options.markdown else text_table)(headings, rows), flush=True
        )
    for fault in faults:
        print(f"over the limit: {fault}", file=sys.stderr)
    return int(options.check and bool(faults))


def _cheapest(tools: list[Tool]) -> Tool:
    return min((tool for tool in tools[1:] if tool.whole), key=lambda tool: tool.best.seconds)


def _faults(case: str, tools: list[Tool], size: int) -> list[str]:
    """What is over the limits: time beside the cheapest tool, bytes on the disk beside the raw files."""
    mine, cheapest = tools[0], _cheapest(tools)
    ratio, faults = mine.against(cheapest)[0], []
    if ratio > SLOWER:
        faults.append(f"{case} takes {ratio:.2f} x {cheapest.name}")
    if mine.on_disk > LARGER * size:
        faults.append(f"{case} leaves {100 * mine.on_disk / size:.1f} % of the raw files on the disk")
    return faults


def _row(case: str, tool: Tool, mine: Tool, size: int) -> list[str]:
    ratios = ["", ""] if tool is mine else [f"{ratio:.2f}" for ratio in mine.against(tool)]
    seconds = [f"{tool.best.seconds:.1f}", f"{statistics.median(one.seconds for one in tool.rounds):.1f}"]
    peak = max(one.peak_mb for one in tool.rounds)
    shares = [f"{100 * count / size:.1f} %" for count in (tool.written, tool.on_disk)]
    return [f"{case}: {tool.name}", *seconds, f"{tool.best.cpu:.1f}", *ratios, f"{peak:.0f}", *shares]


def _measure(tools: list[Tool], folder: Path, raw: Path, rounds: int) -> list[float]:
    """Run every tool once a round; the machine's load at the start of each."""
    loads = []
    for number in range(rounds):
        for tool in [*tools[number % len(tools) :], *tools[: number % len(tools)]]:
            target = folder / "made"
            target.mkdir()
            tool.before(target)
            os.sync()
            loads.append(os.getloadavg()[0])
            blocks = resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock
            tool.rounds.append(run_measured(tool.command(target)))
            tool.written = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock - blocks) * 512
            seen: set[tuple[int, int]] = set()
            if raw.parent == folder and tool is tools[0] and raw.name == "raw":
                bytes_below(raw, seen)  # stays the user's; what we share with it is no more on the disk
            tool.on_disk = bytes_below(target, seen)
            shutil.rmtree(target)
    return loads


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
    raw = _write_table(folder, size)

    def as_raw(target: Path) -> None:
        shutil.copytree(raw, target / TABLE_COMPETITION / "raw", copy_function=os.link)

    return raw, [
        Tool("mlebench", lambda to: _prepare(TABLE_COMPETITION, to, "--no-keep-raw"), as_raw),
        Tool("cp -r", lambda to: ["cp", "-r", str(raw), str(to)], whole=False),
        Tool("pandas, all at once", lambda to: [sys.executable, "-c", PLAIN_PANDAS, str(raw / "train.csv"), str(to)]),
    ]


def _zipped_table(folder: Path, size: float) -> tuple[Path, list[Tool]]:
    raw, archive = _write_table(folder, size), folder / "raw.zip"
    zip_folder(raw, archive)
    plain = f"unzip -q {archive} -d $0 && {sys.executable} -c '{PLAIN_PANDAS}' $0/train.csv $0 && rm $0/train.csv"
    return raw, [
        Tool("mlebench", lambda to: _prepare(TABLE_COMPETITION, to, "--source", str(archive))),
        Tool("unzip", lambda to: ["unzip", "-q", str(archive), "-d", str(to)], whole=False),
        Tool("unzip, pandas all at once", lambda to: ["sh", "-c", plain, str(to)]),
    ]


def _write_table(folder: Path, size: float) -> Path:
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
    return raw


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
    parser.add_argument("cases", nargs="*", metavar="CASE", help="pictures, table, zip, zipped-table [default: all]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()), help="where the files are made")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"exit code 1 over {SLOWER} x the cheapest tool or {LARGER} x the raw bytes",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
