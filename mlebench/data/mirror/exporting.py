"""From the data directory into a store."""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from pathlib import Path, PurePosixPath

from mlebench.data.manifest import FileEntry, Manifest, hash_raw, parse_manifest, read_manifest, versions
from mlebench.data.mirror.parts import LARGEST_MANIFEST, PARTIAL, WORKERS, Selection, Transfer, transfer
from mlebench.data.mirror.places import aside_of
from mlebench.data.mirror.store import ObjectStore, Step
from mlebench.data.parallel import in_parallel
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.staging import locked
from mlebench.errors import DataError, NotPreparedError, UsageError
from mlebench.filenames import MANIFEST

_GOES = FileEntry(size=0, sha256="")
"""In a partial manifest: a file of an earlier export that is about to be deleted, and is none that could be used."""


def exportable(data_dir: DataDir, ids: Sequence[str], selection: Selection) -> list[str]:
    """Those of `ids` that have the selected part in the data directory."""
    return [one for one in ids if selection.source(data_dir.paths(one, selection.edition)).is_dir()]


def export_competition(
    competition: str,
    data_dir: DataDir,
    store: ObjectStore,
    selection: Selection,
    *,
    force: bool = False,
    dry_run: bool = False,
    step: Step = lambda _: None,
) -> Transfer:
    """Copy one competition into the store; what is there already, of the same content, is left alone.

    Files of earlier exports that are no longer part of it are deleted; those that no export put there never are, and
    without `force` none of them is replaced. `force` copies everything anew. `step` is told the bytes done, those left
    alone included.
    """
    started = time.perf_counter()
    paths = data_dir.paths(competition, selection.edition)
    source = selection.source(paths)
    if not source.is_dir():
        raise NotPreparedError(f"{competition} has no {selection.what} data in {data_dir.root}.")
    folder = f"{competition}/{selection.folder}"
    with locked(paths.home):
        require_apart(store, folder, data_dir, source)
        manifest = _manifest_to_export(competition, paths, selection)
        _require_no_links(store, folder, manifest)
        known, ours = _there(store, folder, competition)
        present = store.sizes(folder)
        if not force:
            _require_no_others(store, folder, manifest, present.keys() - ours, nothing_known=known is None)
        before = None if force else known
        same = {
            name
            for name, entry in manifest.files.items()
            if before is not None and before.files.get(name) == entry and present.get(name) == entry.size
        }
        todo = {name: entry for name, entry in manifest.files.items() if name not in same}
        result = transfer(competition, manifest, todo)
        complete = MANIFEST in present and before is not None and before.files == manifest.files and not todo
        if complete or dry_run:
            result.status = "already there" if complete else "would be exported"
            return result
        old = (present.keys() & ours) - same - {MANIFEST, PARTIAL}
        kept = {name: manifest.files[name] for name in same} | dict.fromkeys(old, _GOES)
        store.write(f"{folder}/{PARTIAL}", manifest.model_copy(update={"files": kept}).model_dump_json().encode())
        store.delete(f"{folder}/{MANIFEST}")
        for name in old:
            store.delete(f"{folder}/{name}")
        store.write(f"{folder}/{PARTIAL}", manifest.model_dump_json().encode())
        if store.local_root is not None and selection.what == "prepared":
            _hide_answers(store.local_root / folder)
        step(result.bytes - result.copied_bytes)
        in_parallel(
            lambda item: store.upload(source / item[0], f"{folder}/{item[0]}", item[1], step),
            todo.items(),
            WORKERS,
            batch=1,
        )
        store.write(f"{folder}/{MANIFEST}", manifest.model_dump_json(indent=1).encode())
        store.delete(f"{folder}/{PARTIAL}")
    result.status, result.seconds = "exported", round(time.perf_counter() - started, 3)
    return result


def _manifest_to_export(competition: str, paths: PreparedPaths, selection: Selection) -> Manifest:
    manifest = read_manifest(paths.manifest)
    if selection.what == "raw":
        origin, files = manifest.source if manifest else "raw", hash_raw(paths.raw)
        for name in (MANIFEST, PARTIAL):
            if name in files:
                raise DataError(
                    f"{paths.raw / name} cannot be exported, since a store has a file of its own by that name."
                )
        return Manifest(competition=competition, edition="v1", source=origin, files=files, versions=versions())
    if manifest is None:
        raise NotPreparedError(
            f"{paths.prepared} has no manifest: another tool made it; `mlebench prepare {competition}` adopts it."
        )
    if selection.what == "public":
        own = {name[len("public/") :]: entry for name, entry in manifest.files.items() if name.startswith("public/")}
        return manifest.model_copy(update={"files": own, "checksums": [], "complete": False})
    return manifest


def require_apart(store: ObjectStore, folder: str, data_dir: DataDir, source: Path | None = None) -> None:
    """UsageError where a folder of the store (the root: "") is part of the data directory, or of what is read."""
    if store.local_root is None:
        return
    there, places = (store.local_root / folder).resolve(), [data_dir.root.resolve()]
    if source is not None:  # may lie elsewhere, through a symlink
        places.append(source.resolve())
    around = source is not None and places[-1].is_relative_to(there)
    if around or any(there.is_relative_to(place) for place in places):
        raise UsageError(
            f"{store.local_root / folder} lies in the data directory {data_dir.root}; export to another place."
        )


def _there(store: ObjectStore, folder: str, competition: str) -> tuple[Manifest | None, Set[str]]:
    """What the store is known to hold of a part (of a whole one, or of an export that was killed), and all names that
    exports put there."""
    found: list[Manifest] = []
    ours = {aside_of(MANIFEST), aside_of(PARTIAL)}
    for name in (PARTIAL, MANIFEST):
        manifest = _read(store, f"{folder}/{name}")
        if manifest is not None and manifest.competition == competition:
            found.append(manifest)
            ours.add(name)
            for file in manifest.files:
                ours |= {file, aside_of(file)}
    return (found[0] if found else None), ours


def _read(store: ObjectStore, name: str) -> Manifest | None:
    content = store.read(name, LARGEST_MANIFEST)
    try:
        return None if content is None else parse_manifest(content)
    except ValueError:
        return None


def _require_no_others(
    store: ObjectStore, folder: str, manifest: Manifest, others: Set[str], *, nothing_known: bool
) -> None:
    """UsageError where an export would write over files that none put there, or into a folder that is somebody's."""
    taken = others if nothing_known else others & {*manifest.files, MANIFEST, PARTIAL}
    if taken:
        raise UsageError(
            f"{store.url}/{folder} holds files that no export put there ({min(taken)}); export to another place, or add "
            "--force, which writes over those of the same names and leaves the others alone."
        )


def _require_no_links(store: ObjectStore, folder: str, manifest: Manifest) -> None:
    """UsageError where a folder to write into is a symlink: what it leads to is somebody's, maybe what is read."""
    if store.local_root is not None:
        folders = {parent for name in manifest.files for parent in PurePosixPath(name).parents}
        links = [one for one in folders if one.name and (store.local_root / folder / one).is_symlink()]
        if links:
            raise UsageError(
                f"{store.url}/{folder}/{min(links)} is a symlink; put a folder there, or export elsewhere."
            )


def _hide_answers(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700, parents=True, exist_ok=True)
