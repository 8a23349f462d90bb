"""Does prepared data still equal its manifest, and the published checksums?"""

from __future__ import annotations

from pydantic import BaseModel

from mlebench.competition import Competition, Edition
from mlebench.data.manifest import FileEntry, digest, list_sizes, read_manifest
from mlebench.data.parallel import in_parallel
from mlebench.data.paths import DataDir
from mlebench.data.prepare import checksum_notes
from mlebench.errors import NotPreparedError
from mlebench.pathnames import shown


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
    odd: dict[str, str] = {}
    present = dict(list_sizes(paths.prepared, odd.__setitem__))
    within_odd = tuple(f"{name}/" for name in odd)

    def look(item: tuple[str, FileEntry]) -> list[str]:
        name, entry = item
        if name not in present:
            return [] if name in odd or name.startswith(within_odd) else [f"{name} is missing"]
        if present[name] != entry.size:
            return [f"{name} has {present[name]:,} bytes instead of {entry.size:,}"]
        try:
            changed = not quick and digest(paths.prepared / name, "sha256") != entry.sha256
        except OSError as error:
            return [f"{name} cannot be read ({error.strerror})"]
        return [f"{name} was changed"] if changed else []

    problems = [problem for found in in_parallel(look, manifest.files.items()) for problem in found]
    problems += [f"{shown(name) or paths.prepared} {why}" for name, why in sorted(odd.items())]
    problems += [f"{name} is not in the manifest" for name in sorted(present.keys() - manifest.files.keys())]
    return VerifyResult(
        competition=competition.id,
        edition=edition,
        intact=not problems,
        problems=problems,
        verified=manifest.verified,
        notes=checksum_notes(manifest),
        files=len(manifest.files),
    )
