"""manifest.json of a prepared folder: where it came from, what made it, every file's size and hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlebench import __version__
from mlebench.competition import Checksums, Edition
from mlebench.errors import DataError

MANIFEST = "manifest.json"


class FileEntry(BaseModel):
    """One file of a prepared folder."""

    size: int
    sha256: str


class ChecksumResult(BaseModel):
    """One published md5 sum compared with the prepared file."""

    file: str
    expected: str
    found: str | None
    """None: the file is absent."""

    @property
    def holds(self) -> bool:
        """Whether the file is byte for byte the published one."""
        return self.expected == self.found


class Manifest(BaseModel):
    """The record beside prepared data; a folder without one was made by another tool."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    competition: str
    edition: Edition
    source: str
    """kaggle, synthetic, bundled, folder, or adopted (made by another tool and found here)."""
    source_detail: str = ""
    """The folder or archive the raw files came from, or the generator's seed and scale."""
    new_source: str = ""
    """Why the raw files are another release than the published one, which the user accepted; empty otherwise."""
    verified: bool | None = None
    """Published checksums: all hold (true), some do not (false), none to compare with (none: synthetic, bundled)."""
    checksums: list[ChecksumResult] = []
    complete: bool = True
    """False: only what grading needs is here (answers and sample), not what agents need."""
    files: dict[str, FileEntry] = {}
    """Path below the prepared folder -> size and hash."""
    versions: dict[str, str] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    def write(self, path: Path) -> None:
        """Write aside, then rename."""
        aside = path.with_name(path.name + ".tmp")
        aside.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        aside.replace(path)


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at this path; none when there is none. A damaged one is a DataError."""
    try:
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValidationError, json.JSONDecodeError, UnicodeDecodeError):
        raise DataError(f"{path} is damaged; delete {path.parent} and prepare the competition again.") from None


def versions() -> dict[str, str]:
    """Versions of everything whose change could change prepared bytes."""
    import platform

    import numpy
    import pandas

    return {
        "mlebench": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "pandas": pandas.__version__,
    }


def list_files(folder: Path) -> Iterator[Path]:
    """Every regular file below a prepared folder, sorted, without the manifest."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path != folder / MANIFEST:
            yield path


def hash_files(prepared: Path, step: Callable[[int], Any] = lambda _: None) -> dict[str, FileEntry]:
    """Size and sha256 of every file below `prepared`; `step` is told the bytes done."""
    entries = {}
    for path in list_files(prepared):
        entries[path.relative_to(prepared).as_posix()] = FileEntry(
            size=path.stat().st_size, sha256=_digest(path, "sha256")
        )
        step(path.stat().st_size)
    return entries


def compare_checksums(prepared: Path, published: Checksums) -> list[ChecksumResult]:
    """Compare the published md5 sums with the prepared files."""
    wanted = {f"public/{name}": md5 for name, md5 in published.public.items()}
    wanted |= {f"private/{name}": md5 for name, md5 in published.private.items()}
    results = []
    for name, md5 in wanted.items():
        path = prepared / name
        found = _digest(path, "md5") if path.is_file() else None
        results.append(ChecksumResult(file=name, expected=md5, found=found))
    return results


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
