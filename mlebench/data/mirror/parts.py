"""What export and import share: which part of a competition, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from mlebench.competition import Edition
from mlebench.data.manifest import FileEntry, Manifest
from mlebench.data.paths import PreparedPaths
from mlebench.filenames import MANIFEST

What = Literal["prepared", "raw", "public"]
WORKERS = 8
"""Copies at a time: a store answers slowly, but many at once."""
PARTIAL = MANIFEST + ".partial"
LARGEST_MANIFEST = 1 << 29
"""Bytes; a million files take a third of it."""


@dataclass(frozen=True)
class Selection:
    """Which part of a competition is copied."""

    what: What = "prepared"
    edition: Edition = "v1"

    @property
    def folder(self) -> str:
        """Its folder below the competition's, in a store and in the data directory."""
        return self.what if self.edition == "v1" or self.what == "raw" else f"{self.what}-{self.edition}"

    def source(self, paths: PreparedPaths) -> Path:
        """Where an export reads."""
        return {"prepared": paths.prepared, "public": paths.public, "raw": paths.raw}[self.what]


class Transfer(BaseModel):
    """What became of one competition."""

    competition: str
    status: Literal["exported", "imported", "already there", "would be exported", "would be imported"]
    files: int
    bytes: int
    copied_files: int = 0
    """Those of them that were (or would be) copied now; the others were there from before."""
    copied_bytes: int = 0
    seconds: float = 0.0


def transfer(competition: str, manifest: Manifest, todo: dict[str, FileEntry]) -> Transfer:
    """What there is of a competition, and what of it has yet to be copied."""
    return Transfer(
        competition=competition,
        status="already there",
        files=len(manifest.files),
        bytes=_bytes(manifest.files),
        copied_files=len(todo),
        copied_bytes=_bytes(todo),
    )


def _bytes(files: dict[str, FileEntry]) -> int:
    return sum(entry.size for entry in files.values())


def sizes(manifest: Manifest) -> dict[str, int]:
    """Relative path -> bytes of every file."""
    return {name: entry.size for name, entry in manifest.files.items()}
