"""From a store into the data directory."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mlebench.data.archive_rules import safe_member
from mlebench.data.manifest import (
    FileEntry,
    Manifest,
    digest,
    hash_raw,
    list_sizes,
    parse_manifest,
    raw_sizes,
    read_manifest,
)
from mlebench.data.mirror.parts import LARGEST_MANIFEST, WORKERS, Selection, Transfer, sizes, transfer
from mlebench.data.mirror.store import ObjectStore, Step
from mlebench.data.parallel import in_parallel
from mlebench.data.paths import DataDir
from mlebench.data.space import free_bytes, full_disk_told, is_full
from mlebench.data.staging import IMPORTING, STAGING, locked, make_public, publish, remove_leftovers, remove_tree
from mlebench.errors import DataError
from mlebench.filenames import MANIFEST
from mlebench.text import size

_LONGEST_NAME, _LONGEST_PATH, _DEEPEST = 255, 1024, 64
"""Bytes of a file's name and of its path, and folders in folders, beyond which a disk may not take it."""


def exported(store: ObjectStore, selection: Selection) -> list[str]:
    """Ids of the competitions whose part is whole in the store."""
    names = store.folders()
    there = in_parallel(lambda name: store.has(f"{name}/{selection.folder}/{MANIFEST}"), names, WORKERS, batch=1)
    return [name for name, is_there in zip(names, there, strict=True) if is_there]


def import_competition(
    competition: str,
    data_dir: DataDir,
    store: ObjectStore,
    selection: Selection,
    *,
    force: bool = False,
    dry_run: bool = False,
    step: Step = lambda _: None,
) -> Transfer:
    """Bring one competition from the store into the data directory: whole and checked, or not at all.

    What an import that was killed had copied is checked and used. Data that is there already and differs is a
    DataError, unless `force` replaces it. Public files that come alone go to <id>/public, not to <id>/prepared:
    they are no prepared competition.
    """
    started = time.perf_counter()
    paths = data_dir.paths(competition, selection.edition)
    target = paths.home / selection.folder
    folder = f"{competition}/{selection.folder}"
    manifest = _manifest_to_import(store, competition, selection)
    if dry_run:
        same = _is_same(target, manifest, selection)
        result = transfer(competition, manifest, {} if same else manifest.files)
        result.status = "already there" if same else "would be imported"
        return result
    with locked(paths.home):
        remove_leftovers(paths.home)
        if not force and _is_same(target, manifest, selection):
            return transfer(competition, manifest, {})
        if target.exists() and not force:
            raise DataError(
                f"{target} is there already and differs from {store.url}/{folder}; add --force to replace it."
            )
        importing = paths.home / f"{IMPORTING}{target.name}"
        staged = _usable(importing, manifest)
        todo = {name: entry for name, entry in manifest.files.items() if name not in staged}
        result = transfer(competition, manifest, todo)
        _require_room(result, data_dir)
        step(result.bytes - result.copied_bytes)
        aside = paths.home / f"{STAGING}{os.getpid()}"
        try:
            with full_disk_told(competition, paths.home):
                importing.mkdir(exist_ok=True)
                if selection.what == "prepared":
                    _close_answers(importing)
                _fetch(store, folder, importing, todo, step)
                if selection.what == "prepared":
                    make_public(importing, own_raw=True)
                if selection.what != "raw":
                    manifest.imported_from = f"{store.url}/{folder}"
                    manifest.write(importing / MANIFEST)
                aside.mkdir()
                publish(importing, target, aside)
        except DataError as error:
            if is_full(error):
                remove_tree(importing)  # on a full disk room is worth more than a quick next time
            raise
        finally:
            remove_tree(aside)
    result.status, result.seconds = "imported", round(time.perf_counter() - started, 3)
    return result


def _manifest_to_import(store: ObjectStore, competition: str, selection: Selection) -> Manifest:
    """The manifest of a part that is whole in the store; nothing in it may point outside of the competition."""
    name = f"{competition}/{selection.folder}/{MANIFEST}"
    content = store.read(name, LARGEST_MANIFEST)
    if content is None:
        raise DataError(f"{store.url} has no {selection.what} data of {competition}, or its export is not finished.")
    try:
        manifest = parse_manifest(content)
    except ValueError:
        raise DataError(f"{store.url}/{name} is damaged; export the competition anew with --force.") from None
    if manifest.competition != competition or (selection.what != "raw" and manifest.edition != selection.edition):
        raise DataError(
            f"{store.url}/{name} is of {manifest.competition} {manifest.edition}; it stands in a wrong place."
        )
    tops = ("public", "private")
    for file in manifest.files:
        path = safe_member(file)
        inside = selection.what != "prepared" or (len(path.parts) > 1 and path.parts[0] in tops)
        fits = (
            len(file.encode()) <= _LONGEST_PATH
            and len(path.parts) <= _DEEPEST
            and all(len(part.encode()) <= _LONGEST_NAME for part in path.parts)
        )
        if not inside or not fits or path.as_posix() != file or file in (MANIFEST, "."):
            told = file if len(file) <= _LONGEST_NAME else f"{file[:_LONGEST_NAME]}..."
            raise DataError(f"{store.url}/{name} names the file {told!r}, which has no place there; do not use it.")
    lacking = [top for top in tops if not any(file.startswith(f"{top}/") for file in manifest.files)]
    if not manifest.files or (selection.what == "prepared" and lacking):
        what = f"{lacking[0]}/" if selection.what == "prepared" else "it"
        raise DataError(f"{store.url}/{name} names no files of {what}; export the competition anew with --force.")
    return manifest


def _is_same(target: Path, manifest: Manifest, selection: Selection) -> bool:
    """Whether the data directory has this part with this content."""
    if not target.is_dir():
        return False
    if selection.what == "raw":  # has no manifest of its own
        try:
            return dict(raw_sizes(target)) == sizes(manifest) and hash_raw(target) == manifest.files
        except DataError:  # something that no store has
            return False
    here = read_manifest(target / MANIFEST)
    return here is not None and here.files == manifest.files and dict(list_sizes(target)) == sizes(manifest)


def _usable(importing: Path, manifest: Manifest) -> set[str]:
    """Files that a killed import had copied whole; all others are removed."""
    if not importing.is_dir():
        return set()

    def is_whole(listed: tuple[str, int]) -> bool:
        name, count = listed
        entry = manifest.files.get(name)
        whole = entry is not None and entry.size == count and digest(importing / name, "sha256") == entry.sha256
        if not whole:
            (importing / name).unlink()
        return whole

    odd: list[str] = []
    names = list(list_sizes(importing, lambda name, _: odd.append(name)))
    if odd:  # nothing that an import makes
        remove_tree(importing)
        return set()
    return {name for (name, _), whole in zip(names, in_parallel(is_whole, names), strict=True) if whole}


def _close_answers(importing: Path) -> None:
    """Nobody else reads answers, not even while they arrive, or after an import that failed."""
    private = importing / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    private.chmod(0o700)


def _fetch(store: ObjectStore, folder: str, importing: Path, todo: dict[str, FileEntry], step: Step) -> None:
    def one(item: tuple[str, FileEntry]) -> None:
        name, entry = item
        try:
            store.download(f"{folder}/{name}", importing / name, entry, step)
        except FileNotFoundError:
            raise DataError(f"{store.url}/{folder}/{name} is missing; export it anew with --force.") from None
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise DataError(f"{store.url}/{folder} has both a file and a folder {name!r}; do not use it.") from None
        except OSError as error:
            if is_full(error):
                raise
            raise DataError(f"{importing / name} cannot be written ({error.strerror}).") from None

    in_parallel(one, todo.items(), WORKERS, batch=1)


def _require_room(result: Transfer, data_dir: DataDir) -> None:
    free = free_bytes(data_dir.root)
    if result.copied_bytes > free:
        raise DataError(
            f"Importing {result.competition} needs {size(result.copied_bytes)}, but {size(free)} are free in "
            f"{data_dir.root}; free space, or use another --data-dir."
        )
