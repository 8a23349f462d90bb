"""Opening a bundle, whoever it is from: a folder, or an archive of which only what is looked at is ever written."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mlebench.bundle.hashes import encode_path, hash_entries, walk
from mlebench.bundle.index import MAX_INDEX_BYTES, Index, NotABundleError, parse_index
from mlebench.data.archives import visit_files
from mlebench.errors import BundleError, DataError
from mlebench.filenames import (
    ATTEMPT_FILE,
    BUNDLE_FILE,
    EGRESS_FILE,
    ENVIRONMENT_FILE,
    EVENTS_FILE,
    GRADE_FILE,
    TELEMETRY_FILE,
    USAGE_FILE,
    VALIDATIONS_FILE,
)

READ = {
    *(ATTEMPT_FILE, GRADE_FILE, ENVIRONMENT_FILE, TELEMETRY_FILE),
    *(EVENTS_FILE, USAGE_FILE, EGRESS_FILE, VALIDATIONS_FILE, "submission/submission.csv"),
}
"""Files whose content is looked at, beside the snapshots; all others are only hashed."""
_SNAPSHOT = re.compile(r"snapshots/[0-9]{1,9}\.csv(\.gz)?")
_MAX_MEMBERS = 1_000_000
_UNLISTED_BYTES = 1 << 30
"""So much of what the index does not name is passed over before an archive is given up."""
_BLOCK = 1 << 20


@dataclass
class Bundle:
    """A bundle that was opened: what its index says, and what is really there."""

    name: str
    """Where it was found, for people."""
    index: Index
    digest: str
    """What the index' content has as digest."""
    folder: Path
    """Where files whose content is looked at lie; with an archive only these."""
    found: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Encoded path -> size and hash of every file that is there, bundle.json left out."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with it as a container: links, doubled names, damage."""

    def path(self, name: str) -> Path | None:
        """A file whose content may be read: it is there with the size and hash that the index says; else None."""
        listed = self.index.files.get(encode_path(name))
        if listed is None or self.found.get(encode_path(name)) != (listed.size, listed.sha256):
            return None
        return self.folder / name


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a folder, .tar.gz (or another tar) or .zip; NotABundleError when it is none of them or has no index."""
    if path.is_dir():
        yield _open_folder(path)
        return
    if not path.is_file():
        raise NotABundleError(f"There is no bundle at {path}.")
    with tempfile.TemporaryDirectory(prefix="mlebench-bundle-") as scratch:
        yield _open_archive(path, Path(scratch))


def _open_folder(path: Path) -> Bundle:
    index_path = path / BUNDLE_FILE
    if index_path.is_symlink() or not index_path.is_file():
        if (path / EVENTS_FILE).exists():
            raise NotABundleError(
                f"The attempt in {path} has not been sealed: it is not done, or was made by an older version."
            )
        raise NotABundleError(f"{path} is not a bundle: it has no {BUNDLE_FILE}.")
    try:
        with index_path.open("rb") as file:
            index, digest = parse_index(_bounded(file, MAX_INDEX_BYTES))
        bundle = Bundle(str(path), index, digest, path)
        entries = [entry for entry in walk(path) if entry.path != BUNDLE_FILE]
        told = {odd.path for odd in index.left_out}
        for entry in entries:
            if entry.kind != "file" and encode_path(entry.path) not in told:
                bundle.problems.append(f"{encode_path(entry.path)} is a {entry.kind}")
        for entry, size, sha256 in hash_entries(path, entries):
            bundle.found[encode_path(entry.path)] = (size, sha256)
    except OSError as error:
        raise BundleError(f"The bundle {path} cannot be read: {error.strerror or error}.") from None
    return bundle


def _open_archive(path: Path, scratch: Path) -> Bundle:
    try:
        prefix, content = _find_index(path)
    except (DataError, OSError) as error:
        raise NotABundleError(f"{path} is not a bundle: {error}") from None
    index, digest = parse_index(content)
    bundle = Bundle(str(path), index, digest, scratch)
    try:
        visit_files(path, _Reader(bundle, prefix).visit)
    except DataError as error:
        bundle.problems.append(str(error).removesuffix("; fetch it again.").rstrip("."))
    except _EnoughError as enough:
        bundle.problems.append(str(enough))
    return bundle


class _EnoughError(Exception):
    """An archive is not worth going on with; the message says why."""


class _Reader:
    """Hashes an archive's files as they come by and writes down the few whose content is looked at."""

    def __init__(self, bundle: Bundle, prefix: str) -> None:
        self._bundle = bundle
        self._prefix = prefix
        self._seen = 0
        self._unlisted = 0
        self._room = shutil.disk_usage(bundle.folder).free // 2

    def visit(self, name: str, size: int, content: IO[bytes]) -> bool:
        """One member."""
        self._seen += 1
        if self._seen > _MAX_MEMBERS:
            raise _EnoughError(f"it has more than {_MAX_MEMBERS:,} files")
        bundle = self._bundle
        path = name.removeprefix(self._prefix)
        if not name.startswith(self._prefix):
            path = f"../{name}"
        elif path == BUNDLE_FILE:
            return True
        key = encode_path(path)
        if key in bundle.found:
            raise _EnoughError(f"{key} is in it more than once")
        listed = bundle.index.files.get(key)
        if listed is None or listed.size != size:
            self._unlisted += size
            if self._unlisted > _UNLISTED_BYTES:
                raise _EnoughError("it holds too much that its index does not name")
            bundle.found[key] = (size, "")
            return True
        kept = path in READ or _SNAPSHOT.fullmatch(path) is not None
        bundle.found[key] = (size, self._keep(path, size, content) if kept else _sha256(content))
        return True

    def _keep(self, path: str, size: int, content: IO[bytes]) -> str:
        self._room -= size
        if self._room < 0:
            raise _EnoughError("there is no room to unpack the files that are looked at")
        target = self._bundle.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as copy:
            return _sha256(content, copy)


def _sha256(content: IO[bytes], copy: IO[bytes] | None = None) -> str:
    computed = hashlib.sha256()
    while block := content.read(_BLOCK):
        computed.update(block)
        if copy is not None:
            copy.write(block)
    return computed.hexdigest()


def _find_index(archive: Path) -> tuple[str, bytes]:
    """The folder within the archive (empty or ending in /) that has bundle.json, and bundle.json."""
    found: list[tuple[str, bytes]] = []
    seen = 0

    def visit(name: str, size: int, content: IO[bytes]) -> bool:
        nonlocal seen
        seen += 1
        head, _, last = name.rpartition("/")
        if last == BUNDLE_FILE and "/" not in head:
            found.append((f"{head}/" if head else "", _bounded(content, MAX_INDEX_BYTES)))
        return not found and seen <= _MAX_MEMBERS

    visit_files(archive, visit)
    if not found:
        raise NotABundleError(f"{archive} is not a bundle: it has no {BUNDLE_FILE}.")
    return found[0]


def _bounded(file: IO[bytes], most: int) -> bytes:
    content = file.read(most + 1)
    if len(content) > most:
        raise NotABundleError(f"{BUNDLE_FILE} is too large for an index.")
    return content
