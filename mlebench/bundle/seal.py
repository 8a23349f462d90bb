"""Sealing: the folder of an attempt that is over becomes a bundle by one file, bundle.json, written last."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlebench.bundle.environment import Environment, read_environment
from mlebench.bundle.hashes import encode_path, hash_entries, walk
from mlebench.bundle.index import (
    LOGS,
    File,
    Head,
    Index,
    LeftOut,
    NotABundleError,
    Sources,
    index_bytes,
    make_index,
    read_index,
)
from mlebench.filenames import BUNDLE_FILE, GRADE_FILE

if TYPE_CHECKING:
    from mlebench.running.records import Attempt, RunConfig

_ASIDE = BUNDLE_FILE + ".tmp"
_LEFT_OUT_SHOWN = 1000


def recorded(attempt: Attempt) -> dict[str, Any]:
    """An attempt's record as attempt.json and its bundle hold it: what may be shown, without the bundle's own digest."""
    return {key: value for key, value in attempt.shown().items() if key != "bundle"}


def seal(folder: Path, attempt: Attempt, run: RunConfig, *, run_id: str | None = None) -> str:
    """Write bundle.json into an attempt's folder and return its digest.

    Called when nothing in the folder changes any more: attempt.json and grade.json are written, the logs are closed.
    Sealing again what is unchanged leaves the bundle as it is; after a new grade it makes a new one. The file is
    written aside, flushed to disk and renamed. Raises OSError where the folder cannot be read or written.
    """
    entries = sorted((one for one in walk(folder) if one.path not in (BUNDLE_FILE, _ASIDE)), key=lambda one: one.path)
    files = {
        encode_path(entry.path): File(size=size, sha256=digest) for entry, size, digest in hash_entries(folder, entries)
    }
    odd = [LeftOut(path=encode_path(one.path), kind=one.kind) for one in entries if one.kind != "file"]
    environment = read_environment(folder)
    grade = files.get(GRADE_FILE)
    parts: dict[str, Any] = {
        "run_id": run_id,
        "run": run.model_dump(mode="json", exclude={"providers_file"}),
        "attempt": recorded(attempt),
        "sources": sources_of(environment, attempt),
        "grade_sha256": grade.sha256 if grade else None,
        "heads": {name: _head(folder / name) for name in LOGS if name in files},
        "files": files,
        "left_out": odd[:_LEFT_OUT_SHOWN],
    }
    earlier = _earlier(folder)
    if earlier is not None:
        same = make_index(**parts, created_at=earlier.created_at)
        if index_bytes(same) == index_bytes(earlier):
            return earlier.digest
    index = make_index(**parts)
    _write(folder, index_bytes(index))
    return index.digest


def sources_of(environment: Environment | None, attempt: Attempt) -> Sources:
    """Hashes of what an attempt was made from, as its environment.json has them."""
    data = environment.data if environment else None
    return Sources(
        agent=environment.agent.sha256 if environment else None,
        manifest=data.manifest_sha256 if data else None,
        data=data.content_sha256 if data else None,
        image=attempt.image_id,
    )


def _earlier(folder: Path) -> Index | None:
    try:
        found = read_index(folder)
    except NotABundleError:
        return None
    return found[0] if found else None


def _head(log: Path) -> Head:
    """Lines of a log and the hash of its last one, read in one pass."""
    lines, last = 0, b""
    with log.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n"):
                lines, last = lines + 1, raw
    try:
        document = json.loads(last) if last else {}
        chained = document.get("hash") if isinstance(document, dict) else None
    except (ValueError, RecursionError):
        chained = None
    return Head(lines=lines, hash=chained if isinstance(chained, str) else None)


def _write(folder: Path, content: bytes) -> None:
    aside = folder / _ASIDE
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / BUNDLE_FILE)
