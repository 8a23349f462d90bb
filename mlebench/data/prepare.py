"""Preparing one competition: raw files -> staging -> a prepared folder that is whole or absent.

A lock per competition keeps two processes apart. Everything is written to a staging folder beside and renamed at
the end; a killed run leaves only staging, which the next one removes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from mlebench.competition import EDITIONS, Competition, Edition
from mlebench.data.manifest import Manifest, compare_checksums, hash_files, list_files, read_manifest, versions
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.sources import RawData, SourceRequest, fetch_raw
from mlebench.errors import DataError, MlebenchError, UsageError

Progress = Callable[[str], None]
"""Is told what happens now: `raw`, `split`, `hash`, `publish`."""


_ONE_TIME = 946684800
"""The first second of the year 2000, the time of every public file."""


class Status(StrEnum):
    """What `prepare` did."""

    PREPARED = "prepared"
    ALREADY = "already prepared"
    ADOPTED = "adopted"


class PrepareResult(BaseModel):
    """What became of one competition."""

    competition: str
    edition: Edition
    status: Status
    source: str
    verified: bool | None
    """Published checksums: all hold, some differ, or none to compare with."""
    notes: list[str] = []
    files: int
    bytes: int
    seconds: float


def prepare_competition(
    competition: Competition,
    data_dir: DataDir,
    request: SourceRequest | None = None,
    *,
    edition: Edition = "v1",
    keep_raw: bool | None = None,
    force: bool = False,
    official_description: bool = False,
    progress: Progress = lambda _: None,
) -> PrepareResult:
    """Bring one competition to its prepared state, whatever state it is in; a second call does nothing."""
    require_edition(competition, edition)
    started = time.perf_counter()
    paths = data_dir.paths(competition.id, edition)
    with locked(paths.home):
        _remove_leftovers(paths.home)
        manifest = read_manifest(paths.manifest) if paths.prepared.exists() and not force else None
        if manifest is not None:
            _require_same_source(competition, manifest, request)
            status = Status.ALREADY
        elif paths.prepared.exists() and not force:
            manifest, status = _adopt(competition, paths, edition, progress), Status.ADOPTED
        else:
            manifest = _build(competition, paths, request or SourceRequest(), edition, keep_raw, progress)
            status = Status.PREPARED
        if official_description:
            from mlebench.data.kaggle.pages import add_official_pages

            progress("pages")
            manifest = add_official_pages(competition.id, paths, manifest)
        return _result(manifest, status, started)


def require_edition(competition: Competition, edition: str) -> None:
    """UsageError unless the competition exists in this edition."""
    if edition not in EDITIONS:
        raise UsageError(f"There is no edition {edition!r}; use {' or '.join(EDITIONS)}.")
    if edition not in competition.facts.editions:
        raise UsageError(f"{competition.id} has no edition {edition}; it has {', '.join(competition.facts.editions)}.")


def _build(
    competition: Competition,
    paths: PreparedPaths,
    request: SourceRequest,
    edition: Edition,
    keep_raw: bool | None,
    progress: Progress,
) -> Manifest:
    staging = paths.home / f".staging-{os.getpid()}"
    staging.mkdir()
    try:
        progress("raw")
        raw = fetch_raw(request, competition, paths, staging, keep_raw=bool(keep_raw))
        progress("split")
        made = staging / "prepared"
        for folder in (made / "public", made / "private"):
            folder.mkdir(parents=True)
        _run_recipe(competition, raw, made, edition)
        shutil.copyfile(competition.folder / "description.md", made / "public" / "description.md")
        _make_public(made, own_raw=paths.home in raw.folder.parents)
        progress("hash")
        manifest = _describe(competition, made, edition, raw)
        manifest.write(made / paths.manifest.name)
        progress("publish")
        if paths.prepared.exists():
            (staging / "replaced").mkdir()
            paths.prepared.rename(staging / "replaced" / paths.prepared.name)
        made.rename(paths.prepared)
        if keep_raw and raw.folder.parent in (staging, paths.download) and not paths.raw.exists():
            raw.folder.rename(paths.raw)
        if not keep_raw and raw.source == "kaggle":
            paths.download.rename(staging / "download")
        if keep_raw is False and raw.folder == paths.raw:
            # Only when asked to: these were here before. Unchanged files are hard links and stay on disk.
            paths.raw.rename(staging / "raw")
        return manifest
    finally:
        _remove_tree(staging)


def _run_recipe(competition: Competition, raw: RawData, made: Path, edition: Edition) -> None:
    try:
        competition.prepare(raw.folder, made / "public", made / "private", edition=edition)
    except (MlebenchError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise DataError(f"{competition.id}: the raw data at {raw.detail} lacks {error.filename}.") from None
    except OSError as error:
        raise DataError(f"{competition.id} could not be prepared: {error.strerror or error}.") from error
    except Exception as error:
        raise DataError(
            f"{competition.id}: the recipe failed on the raw data at {raw.detail} "
            f"({type(error).__name__}: {error}); is it Kaggle's unchanged download?"
        ) from error
    facts = competition.facts
    for needed in (made / "private" / facts.answers.file, made / facts.data.sample_submission):
        if not needed.is_file():
            raise DataError(f"{competition.id}: the recipe did not write {needed.relative_to(made)}.")


def _describe(competition: Competition, made: Path, edition: Edition, raw: RawData) -> Manifest:
    """The manifest of freshly made data. Published sums speak of v1 on Kaggle's files only."""
    published = competition.checksums if raw.real and edition == "v1" else None
    results = compare_checksums(made, published) if published else []
    return Manifest(
        competition=competition.id,
        edition=edition,
        source=raw.source,
        source_detail=raw.detail + (f", zip md5 {raw.zip_md5}" if raw.zip_md5 else ""),
        new_source=raw.new_source,
        verified=False if raw.new_source else all(result.holds for result in results) if results else None,
        checksums=results,
        files=hash_files(made),
        versions=versions(),
    )


def _adopt(competition: Competition, paths: PreparedPaths, edition: Edition, progress: Progress) -> Manifest:
    """Take over a folder that another tool prepared, after looking at what is there."""
    facts = competition.facts
    published = competition.checksums if edition == "v1" else None
    needed = [f"private/{facts.answers.file}", facts.data.sample_submission]
    absent = [name for name in needed if not (paths.prepared / name).is_file()]
    if absent:
        raise DataError(
            f"{paths.prepared} exists but lacks {', '.join(absent)}; delete it, or prepare anew with --force."
        )
    progress("hash")
    results = compare_checksums(paths.prepared, published) if published else []
    others = any(paths.public.glob("*")) if paths.public.is_dir() else False
    complete = others and not any(result.found is None for result in results)
    description = paths.public / "description.md"
    if complete and not description.exists():
        with suppress(PermissionError):
            shutil.copyfile(competition.folder / "description.md", description)
    manifest = Manifest(
        competition=competition.id,
        edition=edition,
        source="adopted",
        source_detail=str(paths.prepared),
        verified=all(result.holds for result in results) if results else None,
        checksums=results,
        complete=complete,
        files=hash_files(paths.prepared),
        versions=versions(),
    )
    manifest.write(paths.manifest)
    return manifest


def checksum_notes(manifest: Manifest) -> list[str]:
    """Why prepared data is not byte for byte the published one, a sentence a file; nothing on made-up data."""
    notes = []
    if manifest.new_source:
        notes.append(f"{manifest.new_source}, as --accept-new-source allowed; scores may not compare.")
    for result in manifest.checksums:
        if result.found is None:
            notes.append(f"{result.file} is absent, so this data can be graded against but not given to agents.")
        elif not result.holds:
            notes.append(
                f"{result.file} differs from the published benchmark's (md5 {result.found}, published "
                f"{result.expected}): the raw files are another release, or were changed; scores may not compare."
            )
    return notes


def _require_same_source(competition: Competition, manifest: Manifest, request: SourceRequest | None) -> None:
    """Made-up data must never pass for real data, nor the other way round, because it was there first."""
    wanted = request.name if request else None
    synthetic = manifest.source == "synthetic"
    if wanted is not None and (wanted == "synthetic") != synthetic and manifest.source != "bundled":
        raise UsageError(
            f"{competition.id} is already prepared from {manifest.source} data; add --force to replace it, "
            "or use another --data-dir."
        )


def _result(manifest: Manifest, status: Status, started: float) -> PrepareResult:
    return PrepareResult(
        competition=manifest.competition,
        edition=manifest.edition,
        status=status,
        source=manifest.source,
        verified=manifest.verified,
        notes=checksum_notes(manifest),
        files=len(manifest.files),
        bytes=sum(entry.size for entry in manifest.files.values()),
        seconds=round(time.perf_counter() - started, 3),
    )


@contextmanager
def locked(home: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the competition's lock; a second process waits here (told by `waiting`) until the first is done."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / ".lock").open("w")
    except OSError as error:
        raise DataError(f"The data folder {home} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(home: Path) -> None:
    """Remove the staging of a run that was killed (we hold the lock, so it is nobody's)."""
    for folder in home.glob(".staging-*"):
        # A forced rebuild killed between its two renames: what it was about to replace is still whole.
        for replaced in folder.glob("replaced/prepared*"):
            if not (home / replaced.name).exists():
                replaced.rename(home / replaced.name)
        _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _make_public(made: Path, *, own_raw: bool) -> None:
    """Public files readable for whatever user an agent runs as, and all of one age; answers for their owner alone.

    A file's time tells when it was unpacked or copied, and so in which order, which may tell its class. Files that
    are hard links into a folder of the user's keep their times, since those are the user's.
    """
    (made / "private").chmod(0o700)
    for path in list_files(made / "public"):
        facts = path.stat()
        if not facts.st_mode & stat.S_IROTH:
            with suppress(PermissionError):
                path.chmod(facts.st_mode | stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        if own_raw or facts.st_nlink == 1:
            os.utime(path, (_ONE_TIME, _ONE_TIME))
    for folder in [made / "public", *(path for path in (made / "public").rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
        os.utime(folder, (_ONE_TIME, _ONE_TIME))
