"""The run store: one SQLite file per run, written by the driver alone, readable by everybody at any time.

    <runs-dir>/<name>/run.sqlite        this store
    <runs-dir>/<name>/run.lock          held by the runner that drives the run
    <runs-dir>/<name>/<attempt-id>/     one attempt's files

Every change of an attempt's state is one transaction that also records the transition, so that after a power cut
the store says exactly how far each attempt came. The rollback journal (not WAL) keeps a run folder one file that
also works on network file systems and read-only media.
"""

from __future__ import annotations

import errno
import json
import platform
import shutil
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlebench import __version__
from mlebench.errors import MlebenchError, UsageError
from mlebench.filenames import STORE_FILE
from mlebench.running.records import Attempt, RunConfig, State

NO_ROOM = "There is no room left on the disk that the run lies on; free some."
FORMAT = 1
"""Version of the schema, kept in SQLite's user_version."""

_SCHEMA = """
CREATE TABLE run (id TEXT NOT NULL, config TEXT NOT NULL, versions TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE attempts (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL
);
CREATE TABLE transitions (
    number INTEGER PRIMARY KEY, attempt TEXT NOT NULL REFERENCES attempts (id), at TEXT NOT NULL,
    "from" TEXT NOT NULL, "to" TEXT NOT NULL, note TEXT NOT NULL
);
"""


class StoreError(MlebenchError):
    """The run store contradicts what the runner believes, or cannot be read or written."""


class NoRoomError(StoreError):
    """The disk of the run's folder is full; what was to be written is not, and the store is as before."""


@dataclass(frozen=True)
class Run:
    """A run as it stands in its store."""

    folder: Path
    id: str
    """Unique among all runs of all machines; part of every sandbox name."""
    config: RunConfig
    versions: dict[str, str]
    """What ran it: mlebench, python, platform."""
    created_at: datetime
    attempts: list[Attempt]

    def attempt_folder(self, attempt: Attempt) -> Path:
        """Where an attempt's files lie."""
        return self.folder / attempt.id


@dataclass(frozen=True)
class Transition:
    """One change of one attempt's state."""

    attempt: str
    at: datetime
    old: State
    new: State
    note: str


class RunStore:
    """An open run store. SQLite binds it to the thread that opened it: the driver."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / STORE_FILE
        if not path.is_file():
            raise UsageError(f"{folder} is not a run: it has no {STORE_FILE}.")
        with _one_sentence(path):
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA synchronous = FULL")
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found != FORMAT:
                raise StoreError(f"{path} has store format {found}, this mlebench reads {FORMAT}: use another version.")
            self.id, config, versions, created = self._db.execute(
                "SELECT id, config, versions, created_at FROM run"
            ).fetchone()
        self.config = RunConfig.model_validate_json(config)
        self.versions: dict[str, str] = json.loads(versions)
        self.created_at = datetime.fromisoformat(created)

    @classmethod
    def create(cls, folder: Path, config: RunConfig, attempts: Iterable[Attempt]) -> RunStore:
        """Make a run's folder with its store inside; the folder is whole or absent, and must not exist yet."""
        if folder.exists():
            raise UsageError(f"The run {folder} exists already; resume it, or choose another --name.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.new"
        staging.mkdir()
        try:
            with _one_sentence(staging):
                _fill(staging / STORE_FILE, config, attempts)
            staging.rename(folder)
        except OSError as error:
            raise StoreError(f"The run folder {folder} cannot be made: {error.strerror or error}.") from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return cls(folder)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._db.close()

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def attempts(self, known: Mapping[str, Attempt] | None = None) -> list[Attempt]:
        """Every attempt in the order of the plan; of those that are done, `known` ones are not read again."""
        known = known or {}
        with _one_sentence(self.folder):
            found = self._db.execute("SELECT id, state FROM attempts ORDER BY position").fetchall()
        return [known[id_] if state == State.DONE and id_ in known else self.attempt(id_) for id_, state in found]

    def attempt(self, attempt_id: str) -> Attempt:
        """One attempt; an unknown id is a usage error."""
        with _one_sentence(self.folder):
            row = self._db.execute("SELECT record FROM attempts WHERE id = ?", (attempt_id,)).fetchone()
        if row is None:
            raise UsageError(
                f"The run {self.config.name} has no attempt {attempt_id!r}; `mlebench runs show` lists them."
            )
        return Attempt.model_validate_json(row[0])

    def move(self, attempt_id: str, old: State, new: State, note: str = "", **fields: Any) -> Attempt:
        """Change an attempt's state and fields in one transaction; fails when it is not in state `old`.

        `old` and `new` may be equal: then only fields change, and the note says why.
        """
        with _one_sentence(self.folder), self._transaction():
            attempt = self.attempt(attempt_id)
            if attempt.state is not old:
                raise StoreError(
                    f"Attempt {attempt_id} is {attempt.state}, not {old}: somebody else changed its store."
                )
            changed = Attempt.model_validate({**attempt.model_dump(), **fields, "state": new})
            self._db.execute(
                "UPDATE attempts SET state = ?, record = ? WHERE id = ?", (new, changed.model_dump_json(), attempt_id)
            )
            self._db.execute(
                'INSERT INTO transitions (attempt, at, "from", "to", note) VALUES (?, ?, ?, ?, ?)',
                (attempt_id, datetime.now(UTC).isoformat(), old, new, note),
            )
        return changed

    def transitions(self, attempt_id: str | None = None) -> list[Transition]:
        """Every change so far, oldest first, of one attempt or of all."""
        with _one_sentence(self.folder):
            rows = self._db.execute(
                'SELECT attempt, at, "from", "to", note FROM transitions WHERE ? IS NULL OR attempt = ? ORDER BY number',
                (attempt_id, attempt_id),
            )
            return [
                Transition(attempt, datetime.fromisoformat(at), State(old), State(new), note)
                for attempt, at, old, new, note in rows
            ]

    def read(self) -> Run:
        """The run as it stands now."""
        return Run(self.folder, self.id, self.config, self.versions, self.created_at, self.attempts())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise


def resolve_run(path_or_name: str | Path, runs_dir: Path) -> Path:
    """The folder of a run, given by its name below `runs_dir` or by its path."""
    for folder in (runs_dir / path_or_name, Path(path_or_name).expanduser()):
        if (folder / STORE_FILE).is_file():
            return folder.absolute()
    known = [run.name for run in run_folders(runs_dir)]
    hint = f"known there: {', '.join(known[-5:])}" if known else "there are none yet"
    raise UsageError(f"There is no run {str(path_or_name)!r}, neither in {runs_dir} nor as a folder ({hint}).")


def run_folders(runs_dir: Path) -> list[Path]:
    """Folders of all runs below `runs_dir`, by name."""
    return sorted(path.parent for path in runs_dir.glob(f"[!.]*/{STORE_FILE}"))


def load_run(path_or_name: str | Path, runs_dir: Path) -> Run:
    """Read a run, given by its name below `runs_dir` or by its path; it may be running meanwhile."""
    with RunStore(resolve_run(path_or_name, runs_dir)) as store:
        return store.read()


def _fill(path: Path, config: RunConfig, attempts: Iterable[Attempt]) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        db.execute("BEGIN")
        db.execute(
            "INSERT INTO run VALUES (?, ?, ?, ?)",
            (uuid.uuid4().hex, config.model_dump_json(), json.dumps(versions_here()), datetime.now(UTC).isoformat()),
        )
        db.executemany(
            "INSERT INTO attempts VALUES (?, ?, ?, ?)",
            ((a.id, number, a.state, a.model_dump_json()) for number, a in enumerate(attempts)),
        )
        db.execute("COMMIT")
    finally:
        db.close()


def versions_here() -> dict[str, str]:
    """What runs this: mlebench, python, platform."""
    return {"mlebench": __version__, "python": platform.python_version(), "platform": platform.platform()}


def is_no_room(error: BaseException) -> bool:
    """Whether this is a full disk (or a used-up quota): nothing is wrong but that there is no room now."""
    return isinstance(error, NoRoomError) or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    )


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise NoRoomError(NO_ROOM) from None
        raise StoreError(f"The run store of {path} cannot be used: {error}.") from None
