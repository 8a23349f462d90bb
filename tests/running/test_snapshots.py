"""Snapshots of the submission: on change, when at rest, bounded, sealed, over restarts of the runner."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlebench.running import snapshots as module
from mlebench.running.events import EventLog, events_of_try
from mlebench.running.folders import AttemptFolder
from mlebench.running.snapshots import Snapshots, recorded, unpacked_sha256


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REST", 0)
    monkeypatch.setattr(module, "_SPACING", 1e12)


class Place:
    """An attempt's folder with a submission, and a runner that looks at it."""

    def __init__(self, root: Path) -> None:
        self.folder = AttemptFolder(root / "attempt")
        self.submissions = self.folder.outbox / "submission"
        self.submissions.mkdir(parents=True)
        self.started = datetime.now(UTC)
        self.every = 900.0
        self.options: dict[str, int] = {}
        self.restart()

    def restart(self) -> None:
        self.log = EventLog(self.folder.events)
        past = events_of_try(self.folder.events)
        self.snapshots = Snapshots(self.folder, self.log, past, self.started, self.every, **self.options)

    def write(self, text: str) -> None:
        (self.submissions / "submission.csv").write_text(text)

    def taken(self) -> bool:
        """Whether two looks, without a change between them, took a snapshot."""
        self.snapshots.look()
        return self.snapshots.look()

    def files(self) -> list[str]:
        found = self.folder.snapshots
        return sorted(path.name for path in found.iterdir()) if found.is_dir() else []

    def content(self, number: int) -> str:
        return gzip.decompress((self.folder.snapshots / f"{number}.csv.gz").read_bytes()).decode()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_changed_submission_is_taken_once_it_rests(place: Place) -> None:
    assert not place.snapshots.look()
    place.write("a")
    assert not place.snapshots.look()  # seen for the first time: it may still be being written
    place.write("ab")
    assert not place.snapshots.look()
    assert place.snapshots.look()
    assert not place.taken()
    (one,) = place.snapshots.kept
    assert (one.number, one.bytes, one.sha256) == (1, 2, hashlib.sha256(b"ab").hexdigest())
    assert place.content(1) == "ab" and unpacked_sha256(place.folder.path / one.file) == one.sha256
    place.write("abc")
    assert place.taken() and place.files() == ["1.csv.gz", "2.csv.gz"]


def test_the_same_content_is_not_stored_twice(place: Place) -> None:
    place.write("a")
    assert place.taken()
    os.utime(place.submissions / "submission.csv", ns=(1, 1))
    assert not place.taken() and place.files() == ["1.csv.gz"]


def test_content_that_hides_its_change_is_found_at_the_next_round(place: Place) -> None:
    place.write("a")
    assert place.taken()
    path = place.submissions / "submission.csv"
    info = path.stat()
    path.write_text("b")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert not place.taken()
    place.snapshots._every = 0.001
    assert place.snapshots.look() and place.content(2) == "b"


def test_off_means_off(place: Place) -> None:
    place.every = 0.0
    place.restart()
    place.write("a")
    assert not place.taken() and place.files() == []


def test_too_many_are_thinned_out_over_time_and_the_ends_are_kept(place: Place) -> None:
    place.options = {"most": 5}
    place.restart()
    for number in range(40):
        place.started = datetime.now(UTC) - timedelta(seconds=number * 100)
        place.snapshots._started = place.started
        place.write(f"content {number}")
        assert place.taken()
        assert len(place.files()) <= 5
    at = [one.at_seconds for one in place.snapshots.kept]
    assert at[0] == pytest.approx(0, abs=5) and at[-1] == pytest.approx(3900, abs=5)
    assert max(later - earlier for earlier, later in itertools.pairwise(at)) <= 3900 * 0.6
    assert recorded(events_of_try(place.folder.events)) == place.snapshots.kept


def test_bytes_are_bounded_too(place: Place) -> None:
    place.options = {"most_bytes": 3000}
    place.restart()
    for number in range(8):
        (place.submissions / "submission.csv").write_bytes(os.urandom(1000))
        assert place.taken(), number
    assert len(place.snapshots.kept) == 2 and len(place.files()) == 2


def test_a_killed_runner_is_gone_on_from(place: Place) -> None:
    place.write("a")
    assert place.taken()
    (place.folder.snapshots / "2.csv.gz").write_bytes(b"written and not noted")
    (place.folder.snapshots / ".2.csv.gz.partial").write_bytes(b"half")
    place.restart()
    assert place.files() == ["1.csv.gz"] and [one.number for one in place.snapshots.kept] == [1]
    assert not place.taken()  # known already
    place.write("b")
    assert place.taken() and place.files() == ["1.csv.gz", "2.csv.gz"]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "folder link"])
def test_what_is_no_file_is_left_alone(place: Place, kind: str) -> None:
    secret = place.folder.path / "secret"
    secret.mkdir()
    (secret / "submission.csv").write_text("secret")
    path = place.submissions / "submission.csv"
    if kind == "link":
        path.symlink_to(secret / "submission.csv")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        place.submissions.rmdir()
        place.submissions.symlink_to(secret)
    assert not place.taken() and place.files() == [] and place.snapshots.kept == []


def test_a_huge_file_is_passed_over_and_noted_once(place: Place) -> None:
    path = place.submissions / "submission.csv"
    for size in (1 << 40, 1 << 41):
        with path.open("wb") as file:
            file.truncate(size)
        assert not place.taken()
    events = [event for event in events_of_try(place.folder.events) if event["event"] == "snapshot_skipped"]
    assert len(events) in (1, 2) and place.files() == []
    place.write("small")
    assert place.taken()
