"""The submission as it was at moments of the run: copied while the agent runs, sealed then, graded after its end.

The event log is the record (`snapshot`, `snapshot_dropped`); what the run store holds follows it, so that a runner
that was killed between the two goes on rightly. The path is the agent's to fill: it is read like all that agents write.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlebench.running.events import EventLog
from mlebench.running.folders import AttemptFolder
from mlebench.running.records import Snapshot
from mlebench.sandbox.collect import copy_regular

MOST = 64
"""Snapshots that are kept of one attempt; of more, those nearest in time to others are dropped."""
MOST_BYTES = 4 * 1024**3
"""What they may take on disk together, packed."""
LARGEST_BYTES = 1024**3
"""A larger submission is not snapshot; the final one is kept all the same."""
_FILE = "submission.csv"
_REST = 20
"""Times what a snapshot took, until the next one."""
_SPACING = 4 * MOST
"""Snapshots are at least this part of the time that passed since the start apart."""
_CHUNK = 1 << 20

_Mark = tuple[int, int, int]
"""Size, time of change and inode: a file of the same mark was not written meanwhile."""


class Snapshots:
    """Takes the snapshots of one attempt; `look` is called often and does little where nothing changed."""

    def __init__(
        self,
        folder: AttemptFolder,
        log: EventLog,
        past: list[dict[str, Any]],
        started: datetime,
        every_seconds: float,
        *,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`past`: the events of this try so far. `every_seconds`: see RunConfig.snapshot_seconds."""
        self._folder = folder
        self._log = log
        self._started = started
        self._every = every_seconds
        self._most, self._most_bytes = most, most_bytes
        self._seen: _Mark | None = None
        """The mark at the last look."""
        self._taken: _Mark | None = None
        """The mark of the file that was last looked into."""
        self._looked_at = time.monotonic()
        self._not_before = 0.0
        self._skipped: str | None = None
        self.kept = recorded(past)
        self._number = max((int(event["number"]) for event in past if event["event"] == "snapshot"), default=0)
        self._discard_strangers()

    def look(self) -> bool:
        """Take a snapshot if the submission changed and rests; whether the list of those kept changed."""
        if self._every <= 0:
            return False
        mark, before = _mark(self._folder.outbox / "submission"), self._seen
        self._seen = mark
        now = time.monotonic()
        due = now - self._looked_at >= self._every
        if mark is None or mark != before or (mark == self._taken and not due) or now < self._not_before:
            return False  # nothing there, being written, known, or too soon
        self._looked_at = now
        self._taken = mark
        try:
            changed = self._take(mark)
        except OSError as error:  # such as a full disk of ours: no reason to end an agent that runs
            self._skip(error.strerror or str(error))
            changed = False
        # An agent that writes all the time keeps neither us nor the log busy, and what it wrote last is taken later.
        elapsed = (datetime.now(UTC) - self._started).total_seconds()
        self._not_before = time.monotonic() + max(_REST * (time.monotonic() - now), elapsed / _SPACING)
        return changed

    def _take(self, mark: _Mark) -> bool:
        number = self._number + 1
        aside = self._folder.path / ".snapshot.csv"
        why = copy_regular(self._folder.outbox / "submission", _FILE, aside, LARGEST_BYTES)
        try:
            if why is not None:
                self._skip(why)
                return False
            if _mark(self._folder.outbox / "submission") != mark:
                self._taken = None  # written while it was copied: once more, later
                return False
            self._folder.snapshots.mkdir(exist_ok=True)
            at = (datetime.now(UTC) - self._started).total_seconds()
            taken = Snapshot(number=number, at_seconds=round(at, 1), sha256="", bytes=0)
            digest, size = _pack(aside, self._folder.path / taken.file)
            taken = taken.model_copy(update={"sha256": digest, "bytes": size})
            if self.kept and self.kept[-1].sha256 == digest:
                (self._folder.path / taken.file).unlink()
                return False
        finally:
            aside.unlink(missing_ok=True)
        self._number = number
        self._log.append("snapshot", number=number, at_seconds=taken.at_seconds, sha256=digest, bytes=size)
        self.kept.append(taken)
        self._thin_out()
        return True

    def _skip(self, why: str) -> None:
        """Note why there is no snapshot, unless that was noted last."""
        if why != self._skipped:
            self._skipped = why
            self._log.append("snapshot_skipped", why=why)

    def _thin_out(self) -> None:
        """Keep the first, the last, and of those between an even spread over time, within number and bytes."""
        while len(self.kept) > 2 and (len(self.kept) > self._most or self._size() > self._most_bytes):
            at = [one.at_seconds for one in self.kept]
            crowded = min(range(1, len(at) - 1), key=lambda place: at[place + 1] - at[place - 1])
            dropped = self.kept.pop(crowded)
            self._log.append("snapshot_dropped", number=dropped.number)
            (self._folder.path / dropped.file).unlink(missing_ok=True)

    def _size(self) -> int:
        return sum((self._folder.path / one.file).stat().st_size for one in self.kept)

    def _discard_strangers(self) -> None:
        """Files that a killed runner wrote and did not note, or noted as dropped and did not delete."""
        known = {Path(one.file).name for one in self.kept}
        if self._folder.snapshots.is_dir():
            for path in self._folder.snapshots.iterdir():
                if path.name not in known:
                    path.unlink()
        (self._folder.path / ".snapshot.csv").unlink(missing_ok=True)


def recorded(past: Sequence[dict[str, Any]]) -> list[Snapshot]:
    """The snapshots that these events tell of, oldest first."""
    kept: dict[int, Snapshot] = {}
    for event in past:
        if event["event"] == "snapshot":
            kept[int(event["number"])] = Snapshot.model_validate(
                {key: event[key] for key in ("number", "at_seconds", "sha256", "bytes")}
            )
        elif event["event"] == "snapshot_dropped":
            kept.pop(int(event["number"]), None)
    return list(kept.values())


def unpacked_sha256(path: Path) -> str | None:
    """Hash of a snapshot's content; None where the file is gone or damaged."""
    digest = hashlib.sha256()
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except (OSError, EOFError, zlib.error):
        return None
    return digest.hexdigest()


def _mark(submission: Path) -> _Mark | None:
    """The mark of submission.csv, without following any link the agent made; None unless it is a regular file."""
    try:
        folder = os.open(submission, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        info = os.stat(_FILE, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    finally:
        os.close(folder)
    return (info.st_size, info.st_mtime_ns, info.st_ino) if stat.S_ISREG(info.st_mode) else None


def _pack(source: Path, destination: Path) -> tuple[str, int]:
    """Write `source` packed, aside and renamed; hash and size of what was packed. The same content, the same bytes."""
    aside = destination.with_name(f".{destination.name}.partial")
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as plain, aside.open("wb") as raw:
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packed:
            while chunk := plain.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                packed.write(chunk)
        raw.flush()
        os.fsync(raw.fileno())
    aside.replace(destination)
    return digest.hexdigest(), size
