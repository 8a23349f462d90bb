"""Downloading a competition's zip: resumed after a cut, a kill or a reboot; its md5 computed on the way.

    <data-dir>/<id>/download/<id>.zip.part    what is here so far
    <data-dir>/<id>/download/<id>.zip         the whole zip
    <data-dir>/<id>/download/state.json       which file it is (ETag, size), how much of it is surely on disk, its md5

After a kill everything written so far counts. After a reboot only what was flushed before does (at most CHECKPOINT
bytes are fetched again). md5 sums cannot be stored half-done, so a resumed part is read once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mlebench.data.kaggle.client import Kaggle, Stream, stopped
from mlebench.data.kaggle.errors import AGAIN, KaggleError, Problem, translate
from mlebench.data.kaggle.rules import explain_refusal
from mlebench.data.kaggle.watch import Stop, Watch
from mlebench.data.space import is_full
from mlebench.errors import DataError

BLOCK = 1 << 18
CHECKPOINT = 64 * 2**20
"""Bytes between two flushes to disk."""
LEAST_GAIN = 1 << 16
"""A connection that brings the download less further than this counts as fruitless."""


class State(BaseModel):
    """state.json: what is known about the download."""

    competition: str
    validator: str | None = None
    """ETag or Last-Modified of the file that the part belongs to."""
    total: int | None = None
    flushed: int = 0
    """Bytes of the part that are on disk whatever happens to the machine."""
    boot: str = ""
    """Identity of the machine's uptime in which the part was written."""
    md5: str | None = None
    """Of the whole zip, once it is whole."""
    extracted: bool = False
    """The zip was unpacked into raw/ beside; it may be gone."""
    accepted: str = ""
    """Why the zip is used though it is not the published one; empty when it is, or none is published."""

    @classmethod
    def read(cls, folder: Path) -> State | None:
        """The state in a download folder; none when there is none or it is damaged."""
        try:
            state = cls.model_validate_json((folder / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            return None
        sendable = state.validator is None or (state.validator.isascii() and state.validator.isprintable())
        return state if sendable else None

    def write(self, folder: Path) -> None:
        """Write aside, flush, rename."""
        aside = folder / "state.json.tmp"
        with aside.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(folder / "state.json")


def zip_path(folder: Path, competition: str) -> Path:
    """Where the whole zip lies in a download folder."""
    return folder / f"{competition}.zip"


def download_zip(
    competition: str,
    folder: Path,
    *,
    expected_md5: str = "",
    accept_new: bool = False,
    watch: Watch | None = None,
    stop: Stop | None = None,
    connect: Callable[..., Kaggle] = Kaggle,
) -> State:
    """Bring the competition's zip into `folder`, from whatever is there already; its state, with its md5.

    The caller holds the competition's lock. With `expected_md5` a storage that announces another md5 is refused
    before a byte is fetched, unless `accept_new`.
    """
    with _told(competition, folder):
        return _download_zip(competition, folder, expected_md5, accept_new, watch or Watch(), stop, connect)


def _download_zip(
    competition: str,
    folder: Path,
    expected_md5: str,
    accept_new: bool,
    watch: Watch,
    stop: Stop | None,
    connect: Callable[..., Kaggle],
) -> State:
    folder.mkdir(parents=True, exist_ok=True)
    state = State.read(folder)
    if state is not None and state.md5 and (state.extracted or _is_whole(zip_path(folder, competition), state)):
        return state
    kaggle = connect(stop=stop, tell=lambda text: watch.note(competition, text))
    download = _Download(competition, folder, state or State(competition=competition), kaggle, watch)
    if not accept_new:
        download.expected_md5 = expected_md5
    whole = False
    try:
        whole = download.run()
    finally:
        watch.end(competition, whole)
    return download.state


@contextmanager
def _told(competition: str, folder: Path) -> Iterator[None]:
    """An OSError as a sentence: the disk is full, or something lies in the download's way."""
    try:
        yield
    except OSError as error:
        what, where = error.strerror or type(error).__name__, error.filename or folder
        if is_full(error):
            what, advice = f"{what} in {folder}", "make room"
        else:
            what, advice = f"{what}: {where}", "remove what is in its way, or make it yours (chown)"
        raise DataError(
            f"The download of {competition} cannot be written ({what}): {advice}, then run the same command again, it "
            "continues."
        ) from error


def _is_whole(path: Path, state: State) -> bool:
    return path.is_file() and path.stat().st_size == state.total


class _Download:
    """One zip on its way to disk."""

    def __init__(self, competition: str, folder: Path, state: State, kaggle: Kaggle, watch: Watch) -> None:
        self.competition = competition
        self.folder = folder
        self.state = state
        self.kaggle = kaggle
        self.watch = watch
        self.expected_md5 = ""
        self.part = folder / f"{competition}.zip.part"
        self.have = 0
        self.hash = hashlib.md5(usedforsecurity=False)
        self.best = 0
        """The highest byte ever reached: what is fetched again after starting over is no progress."""
        self.restarts = 0
        self.fruitless = 0

    def run(self) -> bool:
        """Fetch what is missing, then give the zip its name."""
        self._recall()
        if self.have:
            self.watch.begin(self.competition, self.have, self.state.total)
        with self.part.open("r+b" if self.part.exists() else "w+b") as file:
            file.truncate(self.have)
            file.seek(self.have)
            if self.state.total is None or self.have < self.state.total:
                self._fetch_all(file)
            self._checkpoint(file)
        self.state.total = self.have
        self.state.md5 = self.hash.hexdigest()
        self.part.replace(zip_path(self.folder, self.competition))
        self.state.write(self.folder)
        return True

    def _recall(self) -> None:
        """How much of the part can be trusted, and its md5 so far (the one time it is read)."""
        whole = zip_path(self.folder, self.competition)
        if whole.exists() and not self.part.exists():
            whole.rename(self.part)  # renamed, but killed before the state said so
        if not self.part.exists() or self.state.validator is None:
            return
        size = self.part.stat().st_size
        if self.state.boot != _boot():
            size = min(size, self.state.flushed)
        if self.state.total is not None and size > self.state.total:
            return
        with self.part.open("rb") as file:
            while self.have < size and (block := file.read(min(1 << 20, size - self.have))):
                self.hash.update(block)
                self.have += len(block)
                if self.kaggle.stop.is_set():
                    raise stopped()

    def _fetch_all(self, file: Any) -> None:
        self.best = self.have
        try:
            self.kaggle.retry(lambda: self._fetch(file), fruitless=lambda _: self.fruitless)
        except KaggleError as error:
            if error.problem is not Problem.CUT or self.restarts < 2:  # one may be a new file
                raise
            size = f"{self.best:,} of {self.state.total:,}" if self.state.total else f"{self.best:,}"
            raise KaggleError(
                Problem.CUT,
                f"The download of {self.competition} is cut before its end each time and has to start over, since it "
                f"cannot be continued ({size} bytes at best): try another network or without a proxy, or download the "
                "zip in a browser and give it with --source FILE.zip.",
            ) from error

    def _fetch(self, file: Any) -> None:
        """One connection's worth. Raises a passing KaggleError when it ends early."""
        best = self.best
        try:
            stream = self._open(file)
            try:
                self.kaggle.stop.on_set(stream.abort)
                self._drain(stream, file)
            finally:
                self.kaggle.stop.forget(stream.abort)
                stream.close()
            if self.state.total is not None and self.have < self.state.total:
                raise KaggleError(Problem.CUT, f"The connection to Kaggle was cut again and again: {AGAIN}.")
        except KaggleError as error:
            self.best = max(self.best, self.have)
            self.fruitless = 0 if self.best - best >= LEAST_GAIN else self.fruitless + 1
            raise explain_refusal(self.kaggle, self.competition, error) from error

    def _open(self, file: Any) -> Stream:
        validator = self.state.validator if self.have else None
        stream = self.kaggle.open(self.competition, self.have, validator)
        if stream.start not in (0, self.have):
            stream.close()
            raise KaggleError(Problem.SERVER, f"Kaggle's storage sent another part than asked for; {AGAIN}.")
        if stream.start == self.have and self.have and self._is_another(stream):
            stream.close()
            stream = self.kaggle.open(self.competition)
        if stream.start != self.have:
            self._start_over(file)
        if self.expected_md5 and stream.md5 and stream.md5 != self.expected_md5:
            stream.close()
            raise DataError(new_release(self.competition, self.expected_md5, stream.md5, stream.total, []))
        if self.have == 0:
            self.state = State(
                competition=self.competition, validator=stream.validator, total=stream.total, boot=_boot()
            )
            self.state.write(self.folder)
            self.watch.begin(self.competition, 0, stream.total)
        return stream

    def _is_another(self, stream: Stream) -> bool:
        """Whether a part of another file is sent: not every storage heeds the If-Range that should prevent it."""
        ours, theirs = self.state.validator or "", stream.validator or ""
        same_kind = ours.startswith('"') == theirs.startswith('"')
        return stream.total != self.state.total or bool(ours and theirs and same_kind and ours != theirs)

    def _start_over(self, file: Any) -> None:
        self.restarts += 1
        self.watch.note(self.competition, "the file changed on Kaggle (or cannot be resumed): starting over")
        self.watch.advance(self.competition, -self.have)
        self.have = 0
        self.hash = hashlib.md5(usedforsecurity=False)
        file.seek(0)
        file.truncate(0)

    def _drain(self, stream: Stream, file: Any) -> None:
        limit = self.state.total
        while limit is None or self.have < limit:
            if self.kaggle.stop.is_set():
                self._checkpoint(file)
                raise stopped()
            try:
                block = stream.read(BLOCK if limit is None else min(BLOCK, limit - self.have))
            except Exception as error:
                if self.kaggle.stop.is_set():
                    continue
                raise translate(error, self.competition, self.kaggle.credentials) from error
            if not block and not self.kaggle.stop.is_set():
                return
            file.write(block)
            self.hash.update(block)
            self.have += len(block)
            if self.have - self.state.flushed >= CHECKPOINT:
                self._checkpoint(file)
            self.watch.advance(self.competition, len(block))

    def _checkpoint(self, file: Any) -> None:
        file.flush()
        os.fsync(file.fileno())
        self.state.flushed = self.have
        self.state.boot = _boot()
        self.state.write(self.folder)


def new_release(competition: str, expected: str, found: str, size: int | None, differences: list[str]) -> str:
    """Why a zip that is whole is not the published one, and what to do."""
    about = f" ({size:,} bytes)" if size else ""
    more = f" {' '.join(differences)}" if differences else ""
    return (
        f"Kaggle's zip of {competition}{about} is not the one the published benchmark was made from (md5 {found}, "
        f"published {expected}): Kaggle changed it since.{more} Add --accept-new-source to use it all the same; "
        "grades on it will say so."
    )


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
