"""Preparing one competition: raw files -> staging -> a prepared folder that is whole or absent.

A lock per competition keeps two processes apart. Everything is written to a staging folder beside and renamed at
the end; a killed run leaves only staging, which the next one removes.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from mlebench.competition import EDITIONS, Competition, Edition
from mlebench.data import raw_files
from mlebench.data.archive_rules import DAMAGE
from mlebench.data.manifest import Manifest, compare_checksums, hash_files, read_manifest, versions
from mlebench.data.outcome import require_outcome
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.sources import RawData, SourceRequest, fetch_raw
from mlebench.data.space import full_disk_told
from mlebench.data.staging import STAGING, locked, make_public, publish, remove_leftovers, remove_tree
from mlebench.errors import DataError, MlebenchError, UsageError

Progress = Callable[[str], None]
"""Is told what happens now: `raw`, `split`, `hash`, `publish`."""


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
    tell: Progress = lambda _: None,
) -> PrepareResult:
    """Bring one competition to its prepared state, whatever state it is in; a second call does nothing.

    `tell` hears, in words for people, what is waited for.
    """
    require_edition(competition, edition)
    started = time.perf_counter()
    paths = data_dir.paths(competition.id, edition)
    with locked(paths.home, tell):
        remove_leftovers(paths.home)
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
            manifest = add_official_pages(competition.id, paths, manifest, tell=tell)
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
    staging = paths.home / f"{STAGING}{os.getpid()}"
    try:
        with full_disk_told(competition.id, paths.home):
            staging.mkdir()
            return _build_in(staging, competition, paths, request, edition, keep_raw, progress)
    finally:
        raw_files.forget()
        remove_tree(staging)


def _build_in(
    staging: Path,
    competition: Competition,
    paths: PreparedPaths,
    request: SourceRequest,
    edition: Edition,
    keep_raw: bool | None,
    progress: Progress,
) -> Manifest:
    progress("raw")
    raw = fetch_raw(request, competition, paths, staging, keep_raw=bool(keep_raw))
    progress("split")
    made = staging / "prepared"
    (made / "public").mkdir(parents=True)
    (made / "private").mkdir(mode=0o700)  # nobody else reads answers, not even while they are made
    _run_recipe(competition, raw, paths, made, edition)
    shutil.copyfile(competition.folder / "description.md", made / "public" / "description.md")
    known = make_public(made, own_raw=paths.home in raw.folder.parents)
    progress("hash")
    manifest = _describe(competition, made, edition, raw, known)
    manifest.write(made / paths.manifest.name)
    progress("publish")
    if raw.source == "kaggle" and not keep_raw:
        os.sync()  # the download goes now, and then this is all there is, even after a power cut
    publish(made, paths.prepared, staging)
    if keep_raw and raw.folder.parent in (staging, paths.download) and not paths.raw.exists():
        raw.folder.rename(paths.raw)
    if not keep_raw and raw.source == "kaggle" and (keep_raw is False or raw.folder != paths.raw):
        paths.download.rename(staging / "download")
    if keep_raw is False and raw.folder == paths.raw:
        # Only when asked to: these were here before. Unchanged files are hard links and stay on disk.
        paths.raw.rename(staging / "raw")
    return manifest


def _run_recipe(competition: Competition, raw: RawData, paths: PreparedPaths, made: Path, edition: Edition) -> None:
    try:
        competition.prepare(raw.folder, made / "public", made / "private", edition=edition)
    except MemoryError:
        raise
    except MlebenchError as error:
        raise _damage_of(competition, raw, paths, error) or _in_archive(error, raw) from error
    except FileNotFoundError as error:
        lacking = DataError(f"{competition.id}: the raw data at {raw.detail} lacks {error.filename}.")
        raise _damage_of(competition, raw, paths, lacking) or _in_archive(lacking, raw) from None
    except OSError as error:
        raise DataError(f"{competition.id} could not be prepared: {error.strerror or error}.") from error
    except Exception as error:
        raise _damage_of(competition, raw, paths, error) or DataError(
            f"{competition.id}: the recipe failed on the raw data at {raw.detail} "
            f"({type(error).__name__}: {error}); is it Kaggle's unchanged download?"
        ) from error
    require_outcome(competition, made, raw.detail)


def _in_archive(error: MlebenchError, raw: RawData) -> MlebenchError:
    """The error with files named by the zip they lie in, since the folder that leads to it goes with the run."""
    if raw.archive is None or str(raw.folder) not in str(error):
        return error
    return DataError(str(error).replace(str(raw.folder), str(raw.archive)))


def _damage_of(competition: Competition, raw: RawData, paths: PreparedPaths, error: Exception) -> MlebenchError | None:
    """What to say where the zip that was read is to blame, or may be; a damaged one of Kaggle's is removed."""
    if raw.archive is None:
        return None
    if raw.source == "kaggle":
        from mlebench.data.kaggle.fetch import about_zip, discard_if_damaged

        published = competition.checksums.zip if competition.checksums else ""
        if isinstance(error, MlebenchError):
            return about_zip(competition.id, paths, _in_archive(error, raw), published)
        return discard_if_damaged(competition.id, paths, published)
    if isinstance(error, DAMAGE):
        return DataError(f"{raw.archive} is damaged ({error}); fetch it again.")
    return None


def _describe(
    competition: Competition, made: Path, edition: Edition, raw: RawData, known: Mapping[str, str]
) -> Manifest:
    """The manifest of freshly made data. Published sums speak of v1 on Kaggle's files only."""
    published = competition.checksums if raw.real and edition == "v1" else None
    results = compare_checksums(made, published) if published else []
    return Manifest(
        competition=competition.id,
        edition=edition,
        source=raw.source,
        source_detail=raw.detail + (f", zip md5 {raw.zip_md5()}" if raw.zip_md5 else ""),
        new_source=raw.new_source,
        verified=False if raw.new_source else all(result.holds for result in results) if results else None,
        checksums=results,
        files=hash_files(made, known),
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
