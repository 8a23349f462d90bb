"""Disk space: what preparing a set of competitions needs, whether it is there, and what is said when it ran out."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlebench.competition import Competition
from mlebench.data.archives import open_zip
from mlebench.data.manifest import list_sizes
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.sources import SourceRequest, resolve_source
from mlebench.data.walking import walk
from mlebench.errors import DataError, MlebenchError
from mlebench.text import size

REWRITTEN = frozenset(
    (
        *(".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".parquet", ".bson", ".xml", ".dat"),
        *(".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".tfrec", ".tfrecord"),
    )
)
"""Suffixes of raw files that recipes write anew; every other file stays as it is and becomes a hard link."""
_TABLES = 0.1
"""Part of a competition's raw bytes that is written anew, where the files cannot be looked at yet."""
_ROUNDING = 1.05
"""Sizes in gigabytes are rounded, or those of other file systems."""
_GB = 1000**3


@dataclass(frozen=True)
class SpaceNeed:
    """Bytes that one competition takes, as far as they can be told beforehand."""

    competition: str
    stays: int
    """What is there afterwards and was not before."""
    passing: int = 0
    """What is there on top of it while the competition is being prepared: its zip, raw files that go afterwards."""


def space_needed(
    competition: Competition,
    paths: PreparedPaths,
    request: SourceRequest,
    *,
    zip_bytes: int | None = None,
    keep_raw: bool = False,
) -> SpaceNeed | None:
    """What preparing from this source takes; None where it cannot be told (made-up data, which is small).

    `zip_bytes` is the size of Kaggle's zip where it was asked for; with `keep_raw` all of it is unpacked. Raises what resolving the source raises.
    """
    where, facts = resolve_source(request, competition, paths), competition.facts.data
    packed = facts.packed and not keep_raw
    if where == "kaggle":
        return _for_download(competition, paths, zip_bytes, packed)
    if not isinstance(where, Path):
        return None
    if where.is_file():
        with open_zip(where) as opened:
            listed = [(info.filename, info.file_size) for info in opened.infolist() if not info.is_dir()]
        everything, rewritten = _sums(listed)
        if not packed:
            return SpaceNeed(competition.id, everything, rewritten)
        known = int((facts.prepared_gb or 0) * _GB * _ROUNDING)
        published = sum(count for name, count in listed if not _is_of_test(name))
        return SpaceNeed(competition.id, min(everything, known or published or everything))
    files = walk(where, lambda *_: None, follow=True)
    everything, rewritten = _sums((name, entry.stat().st_size) for name, entry in files)
    linked = where.stat().st_dev == _existing(paths.home).stat().st_dev
    return SpaceNeed(competition.id, rewritten if linked else everything)


def require_space(
    competitions: Sequence[Competition],
    data_dir: DataDir,
    request: SourceRequest,
    *,
    edition: str = "v1",
    force: bool = False,
    keep_raw: bool = False,
    at_once: int = 1,
    zip_bytes: Mapping[str, int | None] | None = None,
) -> None:
    """Raise a DataError with the figures when the chosen competitions will not fit; what is prepared needs nothing.

    `at_once` competitions are worked on at a time, so that many zips (and raw files that go) are there together.
    What cannot be told beforehand counts as nothing, so what is refused would really not fit.
    """
    needs = []
    for one in competitions:
        paths = data_dir.paths(one.id, edition)  # type: ignore[arg-type]
        if paths.prepared.exists() and not force:
            continue
        try:
            need = space_needed(one, paths, request, zip_bytes=(zip_bytes or {}).get(one.id), keep_raw=keep_raw)
        except MlebenchError:
            continue  # preparing it says why
        if need is not None:
            needs.append(need)
    stays = sum(need.stays for need in needs)
    passing = sum(sorted((need.passing for need in needs), reverse=True)[:at_once])
    free = free_bytes(data_dir.root)
    if stays + passing > free:
        several = f"{len(needs)} competitions" if len(needs) > 1 else needs[0].competition
        raise DataError(
            f"Preparing {several} needs about {size(stays + passing)} ({size(stays)} that stays, {size(passing)} for a "
            f"while), but {size(free)} are free in {data_dir.root}; free space, or use another --data-dir."
        )


@contextmanager
def full_disk_told(what: str, folder: Path) -> Iterator[None]:
    """Turn a full disk (or quota), however deep in a library it showed, into a DataError of one sentence."""
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        raise DataError(
            f"The disk ran full while preparing {what} ({size(free_bytes(folder))} free in {folder}); nothing half-made "
            "was left: free space or use another --data-dir, then run the same command again."
        ) from error


def free_bytes(folder: Path) -> int:
    """Bytes free for this user on the file system that holds `folder` (or its nearest existing parent)."""
    values = os.statvfs(_existing(folder))
    return values.f_bavail * values.f_frsize


def _for_download(
    competition: Competition, paths: PreparedPaths, zip_bytes: int | None, packed: bool
) -> SpaceNeed | None:
    facts = competition.facts.data
    known = (packed and facts.prepared_gb) or facts.raw_gb or facts.prepared_gb
    raw = max(int((known or 0) * _GB), zip_bytes or 0)
    if not raw:
        return None
    # Pictures hardly shrink in a zip, so where its size is not known it is that of its content.
    loaded = sum(listed for _, listed in list_sizes(paths.download)) if paths.download.is_dir() else 0
    left = max(0, (zip_bytes or raw) + raw - loaded)
    return SpaceNeed(competition.id, min(raw, left), max(0, left - raw) + (0 if packed else int(_TABLES * raw)))


def _sums(files: Iterator[tuple[str, int]] | list[tuple[str, int]]) -> tuple[int, int]:
    """Bytes of all files, and of those that recipes write anew."""
    everything = rewritten = 0
    for name, count in files:
        everything += count
        if PurePosixPath(name).suffix.lower() in REWRITTEN:
            rewritten += count
    return everything, rewritten


def _is_of_test(name: str) -> bool:
    """Whether a raw file belongs to Kaggle's own test set by its name; recipes leave those packed, with few exceptions."""
    return any(part.casefold().startswith("test") for part in PurePosixPath(name).parts)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that a disk or quota is full."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
