"""Try what a download survives: a server that cuts, and kill -9 at random moments.

    python scripts/try_download_resume.py [--megabytes 1000] [--cut-megabytes 50] [--kills 10] [--keep-raw]

A made-up competition is served by tests/kaggle_server.py and prepared by the real command with the real Kaggle
client, straight from the zip or, with --keep-raw, unpacked first. Reported: whether all files (and the zip, where it
is kept) end byte-identical, how many bytes came over the wire beyond the zip's
size, and for the kills whether anything that was on disk was asked for again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from kaggle_server import Contest, FakeKaggle, Wire  # noqa: E402

NAME = "made-up"
STAGES = ("downloading", "downloaded", "preparing", "prepared")
TOML = """
id = "made-up"
title = "Made up"
group = "own"
category = "Tabular"
[submission]
id = "id"
[[submission.columns]]
names = ["value"]
type = "number"
[metric]
name = "mae"
title = "Mean absolute error"
higher_is_better = false
[data]
sources = ["kaggle"]
packed = true
"""
RECIPE = """
from mlebench.data.files import link_tree

def prepare(raw, public, private, *, edition="v1"):
    link_tree(raw, public)
    (private / "test.csv").write_text("id,value\\n1,1\\n")
"""


def make_competition(folder: Path, content: Path) -> None:
    """A competition folder whose recipe hands every raw file on, and whose published md5 is the zip's."""
    folder.mkdir(parents=True)
    (folder / "competition.toml").write_text(TOML)
    (folder / "prepare.py").write_text(RECIPE)
    (folder / "description.md").write_text("Made up.\n")
    (folder / "leaderboard.toml").write_text(
        'higher_is_better = false\nteams = 10\ngold = 1\nsilver = 2\nbronze = 3\nmedian = 4\nsource = "none"\ndate = "-"\n'
    )
    (folder / "checksums.toml").write_text(f'zip = "{digest(content)}"\n')


def make_zip(path: Path, megabytes: int) -> dict[str, str]:
    """A zip of random files of about this size in all; name -> md5."""
    rng, sums = random.Random(7), {}
    with zipfile.ZipFile(path, "w") as out:
        for number in range(8):
            content = rng.randbytes(megabytes * 1_000_000 // 8)
            out.writestr(f"part{number}.bin", content)
            sums[f"part{number}.bin"] = hashlib.md5(content).hexdigest()
        out.writestr("sample_submission.csv", "id,value\n1,0\n")
    return sums


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


class Trial:
    """A server, a competition, a data directory."""

    def __init__(self, where: Path, megabytes: int, keep_raw: bool) -> None:
        self.where = where
        self.keep_raw = keep_raw
        self.zip = where / "served.zip"
        self.sums = make_zip(self.zip, megabytes)
        make_competition(where / "competitions" / NAME, self.zip)
        self.server = FakeKaggle().start()
        self.data = where / "data"

    def command(self) -> subprocess.Popen[bytes]:
        """`mlebench prepare made-up` against the server."""
        environment = os.environ | {
            "KAGGLE_TEST_ENDPOINT": self.server.endpoint,
            "KAGGLE_API_TOKEN": self.server.token,
            "HOME": str(self.where),
        }
        words = [
            "prepare",
            NAME,
            *(["--keep-raw"] if self.keep_raw else []),
            "--source",
            "kaggle",
            "--competitions-dir",
        ]
        words += [str(self.where / "competitions"), "--data-dir", str(self.data)]
        return subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "kaggle_cli.py"), *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(self.where / "said.txt").open("ab"),
        )

    def said(self) -> str:
        """The last line that the command printed."""
        return (self.where / "said.txt").read_text().strip().rpartition("\n")[2]

    def identical(self) -> bool:
        """Whether every file is what was served, and so is the zip if it is to be kept."""
        home = self.data / NAME
        found = {path.name: digest(path) for path in (home / "prepared" / "public").glob("*.bin")}
        zipped = home / "download" / f"{NAME}.zip"
        kept = digest(zipped) == digest(self.zip) if zipped.exists() else None
        return found == self.sums and kept == (True if self.keep_raw else None)

    def wire(self) -> Wire:
        """What the storage sent."""
        return self.server.wire.get(NAME, Wire())

    def stage(self) -> str:
        """How far the command had come, from what it left."""
        home = self.data / NAME
        if (home / "prepared").exists():
            return "prepared"
        if any(home.glob(".staging-*/prepared/public")):
            return "preparing"
        return "downloaded" if (home / "download" / f"{NAME}.zip").exists() else "downloading"

    def part(self) -> int:
        """Bytes of the part on disk."""
        path = self.data / NAME / "download" / f"{NAME}.zip.part"
        return path.stat().st_size if path.exists() else 0


def try_cuts(where: Path, megabytes: int, cut: int, keep_raw: bool) -> dict[str, object]:
    """Download through a server that resets every connection after `cut` megabytes."""
    trial = Trial(where, megabytes, keep_raw)
    trial.server.contests[NAME] = Contest(trial.zip, cut_every=cut * 1_000_000)
    started = time.monotonic()
    code = trial.command().wait()
    sent, size = trial.wire().sent(), trial.zip.stat().st_size
    ranges = sorted(trial.wire().ranges)
    overlap = [a + n - b for (a, n), (b, _) in pairwise(ranges)]
    trial.server.stop()
    return {
        "exit": code,
        "said": trial.said(),
        "identical": trial.identical(),
        "seconds": round(time.monotonic() - started, 1),
        "connections": len(ranges),
        "zip_bytes": size,
        "sent_bytes": sent,
        "sent_twice": sent - size,
        "most_sent_twice_at_one_cut": max(overlap, default=0),
    }


def try_kills(
    where: Path, megabytes: int, kills: int, seed: int, *, seconds: float = 4.0, keep_raw: bool = False
) -> dict[str, object]:
    """Kill -9 the command at random moments of downloading, then of unpacking (with --keep-raw) and preparing, then let it end.

    The download alone takes about `seconds`. Every byte on disk counts: each connection must begin exactly where the
    part on disk ended, and none may follow once the zip is whole.
    """
    trial = Trial(where, megabytes, keep_raw)
    size = trial.zip.stat().st_size
    trial.server.contests[NAME] = Contest(trial.zip, bytes_per_second=size / seconds)
    rng, had, stages = random.Random(seed), [0], []
    later = kills // 3
    for aim in ["downloading"] * (kills - 2 * later) + ["downloaded"] * later + ["preparing"] * later:
        process = trial.command()
        goal = had[-1] + rng.uniform(0, 0.4) * (size - had[-1]) if aim == "downloading" else size
        while process.poll() is None and trial.part() < goal and trial.stage() == "downloading":
            time.sleep(0.001)
        while process.poll() is None and STAGES.index(trial.stage()) < STAGES.index(aim):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        had.append(trial.part())
        stages.append(trial.stage())
    code = trial.command().wait()
    time.sleep(0.5)
    starts = [start for start, _ in trial.wire().ranges]
    trial.server.stop()
    return {
        "exit": code,
        "said": trial.said(),
        "identical": trial.identical(),
        "kills": len(stages),
        "killed_while": stages,
        "part_after_each_kill": had[1:],
        "connections_began_at": starts,
        "nothing_lost": set(starts) <= set(had) and starts == sorted(starts),
        "zip_bytes": size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--cut-megabytes", type=int, default=50)
    parser.add_argument("--kill-megabytes", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--kill-seconds", type=float, default=4.0, help="about how long the download alone takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep-raw", action="store_true", help="unpack everything and keep it, with the zip")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = try_cuts(Path(folder), options.megabytes, options.cut_megabytes, options.keep_raw)
        print(json.dumps({"cuts": result}, indent=2), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder, seconds = Path(folder), options.kill_seconds
        result = try_kills(
            folder, options.kill_megabytes, options.kills, options.seed, seconds=seconds, keep_raw=options.keep_raw
        )
        print(json.dumps({"kills": result}, indent=2))


if __name__ == "__main__":
    main()
