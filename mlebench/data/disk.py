"""What the data directory takes on disk, competition by competition, and removing raw files."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mlebench.competition import EDITIONS
from mlebench.data.paths import DataDir
from mlebench.data.space import free_bytes
from mlebench.data.staging import IMPORTING, STAGING, locked, remove_leftovers, remove_tree
from mlebench.errors import DataError, UsageError

_BLOCK = 512
"""Unit of st_blocks, whatever the file system's own is."""


class DiskUse(BaseModel):
    """Bytes on disk of one competition.

    A file with several hard links counts once, in the first of the kinds below that has it: what stands under `raw`
    is what removing the raw files would free.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    competition: str
    prepared: int = 0
    """Prepared folders of every edition, and public files that were imported alone."""
    raw: int = 0
    """Raw files beyond those that prepared folders share."""
    download: int = 0
    """Zips from Kaggle, whole or in part, and what was unpacked of them."""
    leftover: int = 0
    """What killed commands left; the next `prepare` or `mirror import` of the competition uses or removes it."""
    other: int = 0
    """Fetched leaderboards, and files that mlebench does not know."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.prepared + self.raw + self.download + self.leftover + self.other


class DirectoryUse(BaseModel):
    """The data directory as a whole."""

    data_dir: str
    competitions: list[DiskUse]
    total: int
    """Bytes of all competitions, each file once."""
    free: int
    """Bytes free on the file system."""
    unreadable: list[str] = []
    """Competitions whose folders this user may not read; they count as nothing."""


def measure(data_dir: DataDir, ids: Sequence[str] = ()) -> DirectoryUse:
    """Look at every competition's folder (or those named); the largest come first."""
    seen: set[tuple[int, int]] = set()
    homes = [data_dir.root / one for one in ids] if ids else _homes(data_dir)
    uses = sorted((_measure_home(home, seen) for home in homes), key=lambda use: (-use.total, use.competition))
    return DirectoryUse(
        data_dir=str(data_dir.root),
        competitions=uses,
        total=sum(use.total for use in uses),
        free=free_bytes(data_dir.root),
        unreadable=[home.name for home in homes if home.is_dir() and not os.access(home, os.R_OK | os.X_OK)],
    )


def with_raw(data_dir: DataDir, ids: Sequence[str] = ()) -> list[str]:
    """Competitions whose raw files can be removed: the named ones, else every prepared one; UsageError on none."""
    if ids:
        lacking = [one for one in ids if not data_dir.paths(one).raw.is_dir()]
        if lacking:
            raise UsageError(f"There are no raw files of {', '.join(lacking)} in {data_dir.root}.")
        return list(ids)
    return [home.name for home in _homes(data_dir) if (home / "raw").is_dir() and is_prepared(data_dir, home.name)]


def clean_raw(data_dir: DataDir, competition: str) -> int:
    """Remove one competition's raw files, under its lock; return how many bytes the disk has got back."""
    paths = data_dir.paths(competition)
    with locked(paths.home):
        remove_leftovers(paths.home)
        freed = measure(data_dir, [competition]).competitions[0].raw
        aside = paths.home / f"{STAGING}{os.getpid()}"
        try:
            aside.mkdir(exist_ok=True)
            if paths.raw.is_dir():
                paths.raw.rename(aside / "removed")  # at once gone as raw files, even if we are killed while removing
        except OSError as error:
            raise DataError(
                f"{paths.raw} cannot be removed ({error.strerror}); change its permissions, or run as its owner."
            ) from None
        finally:
            remove_tree(aside)
        if aside.exists():
            raise DataError(
                f"Not all raw files of {competition} can be removed; what is left is in {aside}: change the permissions "
                "there, then run the same command again, or `rm -r` it."
            )
    return freed


def is_prepared(data_dir: DataDir, competition: str) -> bool:
    """Whether the competition is prepared in any edition."""
    return any(data_dir.paths(competition, edition).private.is_dir() for edition in EDITIONS)


def _homes(data_dir: DataDir) -> list[Path]:
    if not data_dir.root.is_dir():
        return []
    return sorted(path for path in data_dir.root.iterdir() if path.is_dir() and not path.is_symlink())


def _measure_home(home: Path, seen: set[tuple[int, int]]) -> DiskUse:
    use = DiskUse(competition=home.name)
    if not home.is_dir():
        return use
    kinds: dict[str, list[Path]] = {"prepared": [], "raw": [], "download": [], "leftover": [], "other": []}
    with suppress(PermissionError):  # told as `unreadable`
        for path in sorted(home.iterdir()):
            kinds[_kind(path.name)].append(path)
    for kind, paths in kinds.items():
        setattr(use, kind, sum(bytes_below(path, seen) for path in paths))
    return use


def _kind(name: str) -> str:
    if name in ("prepared", "public") or name in [f"prepared-{edition}" for edition in EDITIONS]:
        return "prepared"
    if name in ("raw", "download"):
        return name
    if name.startswith("public-"):
        return "prepared"
    return "leftover" if name.startswith((STAGING, IMPORTING)) else "other"


def bytes_below(path: Path, seen: set[tuple[int, int]]) -> int:
    """Bytes that a file or folder has on disk, without files whose inode was met before."""
    total = 0
    waiting = [str(path)]
    while waiting:
        current = waiting.pop()
        try:
            facts = os.lstat(current)
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            total += facts.st_blocks * _BLOCK
            if stat.S_ISDIR(facts.st_mode):
                with os.scandir(current) as scan:
                    waiting += [entry.path for entry in scan]
        except OSError:  # removed meanwhile, or not ours to read
            continue
    return total
