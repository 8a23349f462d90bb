#!/usr/bin/env python3
"""Measure the most disk that preparing takes, beside the zip, of every competition (or those named).

    sudo python scripts/bench_peak_disk.py [ID ...] [--mb 40] [--markdown] [--check]

Made-up raw files, of about `--mb` megabytes (or up to where its generator becomes slow), are zipped as Kaggle would and
prepared from that zip into an empty tmpfs, whose use is read every millisecond. "peak" is the most that was used, "made" what is there in the end,
both relative to the raw files, "beyond" the peak beside the larger of the two: what is neither raw file nor result.
`--check` fails over 1.1. Without root no tmpfs can be mounted, and the use of what holds --dir is read instead, so that
other programs' files count.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.tables import machine, markdown_table, text_table

from mlebench.competition import Competition
from mlebench.data.archives import zip_folder
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.registry import Registry

LIMIT = 1.1
SECONDS = 20
SLACK = 200_000
"""Bytes for manifests and blocks that are not full, which count on files as small as these."""


@dataclass(frozen=True)
class Use:
    """Bytes of one competition."""

    raw: int
    zipped: int
    peak: int
    made: int

    @property
    def beyond(self) -> float:
        """The peak relative to the larger of raw files and result."""
        return max(0, self.peak - SLACK) / max(self.raw, self.made)


def main() -> int:
    options = _options()
    chosen = [Registry().get(one) for one in options.ids or Registry().ids()]
    rows, over = [], []
    for one in chosen:
        if "bundled" in one.facts.data.sources:
            continue
        use = _measure(one, options.mb, options.dir)
        rows.append((use.beyond, _row(one.id, use)))
        if use.beyond > LIMIT:
            over.append(f"{one.id} takes {use.beyond:.2f} x")
        print(f"{one.id}: {use.beyond:.2f}", file=sys.stderr, flush=True)
    headings = ["", "raw MB", "zip MB", "peak", "made", "beyond"]
    table = [row for _, row in sorted(rows, reverse=True)]
    print(f"{machine()}\n")
    print((markdown_table if options.markdown else text_table)(headings, table))
    for fault in over:
        print(f"over the limit: {fault}", file=sys.stderr)
    return int(options.check and bool(over))


def _row(name: str, use: Use) -> list[str]:
    shares = [f"{one / use.raw:.2f}" for one in (use.peak, use.made)]
    return [name, f"{use.raw / 1e6:.1f}", f"{use.zipped / 1e6:.1f}", *shares, f"{use.beyond:.2f}"]


def _measure(competition: Competition, megabytes: float, parent: Path | None) -> Use:
    with tempfile.TemporaryDirectory(dir=parent) as scratch:
        raw, archive = Path(scratch) / "raw", Path(scratch) / f"{competition.id}.zip"
        _make_raw(competition, raw, megabytes)
        zip_folder(raw, archive)
        with _file_system(Path(scratch) / "data") as data:
            before = _used(data)
            with _watched(data) as seen:
                prepare_competition(competition, DataDir(data), SourceRequest(str(archive)))
            made = _used(data) - before
        sizes = [path.stat().st_size for path in raw.rglob("*") if path.is_file()]
        return Use(
            sum(-(-size // 4096) * 4096 for size in sizes),
            archive.stat().st_size,
            max(*seen, before + made) - before,
            made,
        )


def _make_raw(competition: Competition, raw: Path, megabytes: float) -> None:
    """Ever more made-up data, until it is large enough or takes long."""
    scale = 1.0
    while True:
        raw.mkdir()
        started = time.monotonic()
        competition.make_raw(raw, scale=scale)
        size = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())
        longer = megabytes * 1e6 / size
        if longer < 1.25 or (time.monotonic() - started) * min(longer, 10) > SECONDS:
            return
        shutil.rmtree(raw)
        scale *= min(longer, 10)


@contextmanager
def _watched(folder: Path) -> Iterator[list[int]]:
    """The most that was used, as the only number in a list, once it is over."""
    most, stop = [_used(folder)], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            most[0] = max(most[0], _used(folder))
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


def _used(folder: Path) -> int:
    facts = os.statvfs(folder)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


@contextmanager
def _file_system(folder: Path) -> Iterator[Path]:
    """A file system of its own, where root can have one."""
    folder.mkdir()
    own = os.geteuid() == 0 and not subprocess.run(["mount", "-t", "tmpfs", "mlebench", folder]).returncode
    try:
        yield folder
    finally:
        if own:
            subprocess.run(["umount", folder], check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--mb", type=float, default=40)
    parser.add_argument("--dir", type=Path, help="where raw files are made")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--check", action="store_true", help=f"exit code 1 over {LIMIT} x")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
