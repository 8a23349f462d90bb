"""From the data directory into a store."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from mlebench.data.manifest import Manifest, hash_files, read_manifest, versions
from mlebench.data.mirror.parts import LARGEST_MANIFEST, PARTIAL, WORKERS, Selection, Transfer, transfer
from mlebench.data.mirror.store import ObjectStore, Step
from mlebench.data.parallel import in_parallel
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.staging import locked
from mlebench.errors import NotPreparedError
from mlebench.filenames import MANIFEST


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

    `force` copies everything anew. `step` is told the bytes done, those left alone included.
    """
    started = time.perf_counter()
    paths = data_dir.paths(competition, selection.edition)
    source = selection.source(paths)
    if not source.is_dir():
        raise NotPreparedError(f"{competition} has no {selection.what} data in {data_dir.root}.")
    folder = f"{competition}/{selection.folder}"
    with locked(paths.home):
        manifest = _manifest_to_export(competition, paths, selection)
        before = None if force else _there(store, folder)
        present = store.sizes(folder)
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
        kept = Manifest.model_validate({**manifest.model_dump(), "files": {n: manifest.files[n] for n in same}})
        store.write(f"{folder}/{PARTIAL}", kept.model_dump_json().encode())
        store.delete(f"{folder}/{MANIFEST}")
        for name in present.keys() - same - {MANIFEST, PARTIAL}:
            store.delete(f"{folder}/{name}")
        store.write(f"{folder}/{PARTIAL}", manifest.model_dump_json().encode())
        if store.local_root is not None:
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
        origin = manifest.source if manifest else "raw"
        return Manifest(
            competition=competition, edition="v1", source=origin, files=hash_files(paths.raw), versions=versions()
        )
    if manifest is None:
        raise NotPreparedError(
            f"{paths.prepared} has no manifest: another tool made it; `mlebench prepare {competition}` adopts it."
        )
    if selection.what == "public":
        own = {name[len("public/") :]: entry for name, entry in manifest.files.items() if name.startswith("public/")}
        return manifest.model_copy(update={"files": own, "checksums": [], "complete": False})
    return manifest


def _there(store: ObjectStore, folder: str) -> Manifest | None:
    """What the store is known to hold of a part: of a whole one, or of an export that was killed."""
    for name in (PARTIAL, MANIFEST):
        content = store.read(f"{folder}/{name}", LARGEST_MANIFEST)
        if content is not None:
            try:
                return Manifest.model_validate(json.loads(content))
            except (ValueError, ValidationError):
                return None
    return None


def _hide_answers(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700, parents=True, exist_ok=True)
