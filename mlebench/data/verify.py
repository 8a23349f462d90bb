"""Does prepared data still equal its manifest, and the published checksums?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel

from mlebench.competition import Competition, Edition
from mlebench.data.manifest import list_files, read_manifest
from mlebench.data.paths import DataDir
from mlebench.data.prepare import checksum_notes
from mlebench.errors import NotPreparedError


class VerifyResult(BaseModel):
    """What a look at one prepared folder found."""

    competition: str
    edition: Edition
    intact: bool
    """Every file of the manifest is there with its size and hash, and nothing else is."""
    problems: list[str] = []
    verified: bool | None = None
    """Published checksums, as recorded when the data was prepared."""
    notes: list[str] = []
    files: int = 0


def verify_competition(
    competition: Competition, data_dir: DataDir, edition: Edition = "v1", *, quick: bool = False
) -> VerifyResult:
    """Compare a prepared folder with its manifest; `quick` looks at sizes only."""
    paths = data_dir.paths(competition.id, edition)
    if not paths.prepared.is_dir():
        raise NotPreparedError(f"{competition.id} is not prepared in {data_dir.root}.")
    manifest = read_manifest(paths.manifest)
    if manifest is None:
        raise NotPreparedError(
            f"{paths.prepared} has no manifest: another tool made it; `mlebench prepare {competition.id}` adopts it."
        )
    problems = []
    for name, entry in manifest.files.items():
        path = paths.prepared / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif path.stat().st_size != entry.size:
            problems.append(f"{name} has {path.stat().st_size:,} bytes instead of {entry.size:,}")
        elif not quick and _sha256(path) != entry.sha256:
            problems.append(f"{name} was changed")
    present = {path.relative_to(paths.prepared).as_posix() for path in list_files(paths.prepared)}
    problems += [f"{name} is not in the manifest" for name in sorted(present - manifest.files.keys())]
    return VerifyResult(
        competition=competition.id,
        edition=edition,
        intact=not problems,
        problems=problems,
        verified=manifest.verified,
        notes=checksum_notes(manifest),
        files=len(manifest.files),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
