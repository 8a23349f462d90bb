"""What must never leave with a bundle: keys of model providers and the like, and files of the answers."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlebench.bundle.hashes import decode_path
from mlebench.bundle.index import Index
from mlebench.data.parallel import in_parallel
from mlebench.errors import BundleError, GatewayError, UsageError

_SECRET_NAMES = re.compile(r"(_|^)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)
_SHORTEST = 12
"""Values shorter than this stand in files by chance."""
_BLOCK = 4 << 20


def secret_values(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Name -> value of the environment variables that look like keys."""
    return {
        name: value
        for name, value in environment.items()
        if _SECRET_NAMES.search(name) and len(value) >= _SHORTEST and not value.startswith("/")
    }


def provider_keys(own: Path | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Name -> key of every model provider that has one here: from the environment, or from its key file."""
    from mlebench.gateway.providers import load_providers

    try:
        known = load_providers(own)
    except UsageError:  # the run's file is gone, or on another machine
        known = load_providers()
    found = {}
    for name in known.names():
        try:
            key = known.get(name).secret(name, environment)
        except GatewayError:
            continue
        if key:
            found[f"the key of {name}"] = key
    return found


@dataclass(frozen=True)
class Secrets:
    """What is looked for in every file before it is packed."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Where a key is known from, for people -> the key."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """sha256 of a file of the answers -> its name."""

    def refuse(self, folder: Path, index: Index) -> None:
        """BundleError naming the first file that holds a key, is a file of the answers, or is not as sealed."""
        for path, file in index.files.items():
            if file.sha256 in self.answers:
                raise BundleError(f"{path} is the same file as {self.answers[file.sha256]}: it cannot be given away.")
        for snapshot in index.attempt.get("snapshots") or []:
            if snapshot.get("sha256") in self.answers:
                raise BundleError(
                    f"Snapshot {snapshot.get('number')} is a file of the answers: it cannot be given away."
                )
        needles = _Needles(self.keys)

        def look(path: str) -> None:
            digest, found = needles.search(folder / decode_path(path))
            if found is not None:
                raise BundleError(f"{path} holds the value of {found}: this bundle cannot be given away.")
            if digest != index.files[path].sha256:
                raise BundleError(f"{path} is not as it was sealed; `mlebench verify {folder}` says more.")

        in_parallel(look, index.files)
        if (found := needles.within(str(index.model_dump(mode="json")).encode("utf-8", "surrogateescape"))) is not None:
            raise BundleError(f"bundle.json holds the value of {found}: this bundle cannot be given away.")


class _Needles:
    """Keys to find in files that are too large for the memory."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._names = {value.encode(): name for name, value in keys.items() if len(value) >= _SHORTEST}
        self._pattern = re.compile(b"|".join(map(re.escape, self._names))) if self._names else None
        self._overlap = max(map(len, self._names), default=1) - 1

    def within(self, content: bytes) -> str | None:
        """The name of a key in the bytes."""
        match = self._pattern.search(content) if self._pattern else None
        return self._names[match.group()] if match else None

    def search(self, path: Path) -> tuple[str, str | None]:
        """The file's sha256, and the name of a key that stands in it."""
        computed, tail, found = hashlib.sha256(), b"", None
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                computed.update(block)
                if found is None and self._pattern is not None:
                    found = self.within(tail + block)
                    tail = block[-self._overlap :] if self._overlap else b""
        return computed.hexdigest(), found
