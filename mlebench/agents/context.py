"""The build context of an image: what of a folder goes to the engine, its digest, and the host's own additions.

`agent.toml`, `README.md` and `scripted/` describe an agent and are never part of its image; a `.dockerignore` leaves
out more. Two folders are always there, so that every Dockerfile can copy them: `ca/`, which holds the certificates
that this machine's package installs need (bundle.crt) or nothing of use, and `source/`, which `--source` fills.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mlebench.errors import UsageError

_NEVER = ("agent.toml", "README.md", "scripted", "**/__pycache__", "**/*.pyc", ".git", "**/.git")
_EPOCH = 0
"""Modification time of every file in a context: layers are cached by content alone."""


def context_files(folder: Path) -> list[str]:
    """Paths below `folder`, links among them, that belong to its build context; sorted."""
    from docker.utils.build import exclude_paths

    ignore = folder / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    kept = exclude_paths(str(folder), [*patterns, *_NEVER], dockerfile="Dockerfile")
    return sorted(name for name in kept if name and ((folder / name).is_symlink() or not (folder / name).is_dir()))


def folder_digest(folder: Path, names: list[str]) -> str:
    """sha256 over names, modes and contents."""
    total = hashlib.sha256()
    for name in names:
        path = folder / name
        if path.is_symlink():
            kind, content = "link", os.fsencode(path.readlink())
            inner = hashlib.sha256(content).hexdigest()
        else:
            kind = "program" if path.stat().st_mode & 0o100 else "file"
            with path.open("rb") as file:
                inner = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{kind} {inner} {name}\0".encode())
    return total.hexdigest()


def context_digest(folder: Path, more: Mapping[str, Any]) -> str:
    """The digest of a folder's build context and of whatever else decides the build; 16 hexadecimal digits."""
    files = folder_digest(folder, context_files(folder))
    return hashlib.sha256((files + json.dumps(more, sort_keys=True)).encode()).hexdigest()[:16]


def source_digest(source: Path) -> str:
    """The digest of a folder given by `--source`."""
    if not source.is_dir():
        raise UsageError(f"There is no folder {source}; --source wants the folder of the source.")
    try:
        return folder_digest(source, context_files(source))[:16]
    except OSError as problem:
        raise UsageError(f"The source folder {source} cannot be read: {problem.strerror or problem}.") from None


def ca_bundle() -> Path | None:
    """The CA bundle that this machine's package installs use, when it has one of its own."""
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if (path := os.environ.get(variable)) and Path(path).is_file():
            return Path(path)
    return None


def write_context(target: IO[bytes], folder: Path, source: Path | None, source_folder: str) -> None:
    """Write the context as a tar archive. Reads files as they are now and adds nothing to the folders themselves."""
    with tarfile.open(fileobj=target, mode="w") as archive:
        added = set(_add_folder(archive, folder, PurePosixPath()))
        for always in ("ca", source_folder):
            if always not in added:
                _add_directory(archive, always)
        if (bundle := ca_bundle()) is not None:
            _add_bytes(archive, "ca/bundle.crt", bundle.read_bytes())
        if source is not None:
            for _ in _add_folder(archive, source, PurePosixPath(source_folder)):
                pass


def _add_folder(archive: tarfile.TarFile, folder: Path, below: PurePosixPath) -> Iterator[str]:
    """Add a folder's context files; yields the top-level names that are directories there."""
    for name in context_files(folder):
        if name == ".dockerignore":
            continue  # carried out here; the engine would apply it once more, to ca/ and source/ as well
        info = archive.gettarinfo(str(folder / name), arcname=str(below / name))
        if info is None or not (info.isreg() or info.issym() or info.islnk()):
            continue  # sockets, devices: no part of a build
        if info.islnk():  # a hard link's content counts
            info.type, info.linkname = tarfile.REGTYPE, ""
            info.size = (folder / name).stat().st_size
        info.mtime, info.uid, info.gid, info.uname, info.gname = _EPOCH, 0, 0, "", ""
        info.mode = 0o755 if info.mode & 0o100 else 0o644
        if info.isreg():
            with (folder / name).open("rb") as file:
                archive.addfile(info, file)
        else:
            archive.addfile(info)
        top, _, rest = name.partition("/")
        if rest:
            yield top


def _add_directory(archive: tarfile.TarFile, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, _EPOCH
    archive.addfile(info)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o644, _EPOCH
    archive.addfile(info, io.BytesIO(content))
