"""bundle.json: what a bundle holds. Its last line of defence is its own digest, which seals all the rest."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlebench import __version__
from mlebench.errors import UsageError
from mlebench.filenames import BUNDLE_FILE, EGRESS_FILE, EVENTS_FILE, USAGE_FILE, VALIDATIONS_FILE

FORMAT = 1
LOGS = (EVENTS_FILE, USAGE_FILE, EGRESS_FILE, VALIDATIONS_FILE)
"""Logs whose length and last line the index keeps, where an attempt has them."""
MAX_INDEX_BYTES = 256 << 20
"""A larger bundle.json is nobody's: an attempt's 200,000 files take a seventh of that."""


class NotABundleError(UsageError):
    """There is no bundle, or nothing in it can be read; the message says why."""


class _Part(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)


class File(_Part):
    """One file of the bundle."""

    size: int = Field(ge=0)
    sha256: str


class LeftOut(_Part):
    """Something in the attempt's folder that is no file and so is no part of the bundle."""

    path: str
    kind: str


class Head(_Part):
    """How a log ended when the bundle was sealed."""

    lines: int
    """Whole lines."""
    hash: str | None
    """The `hash` of the last line; None for logs without a chain and for empty ones."""


class Sources(_Part):
    """Hashes of what the attempt was made from, as they were when the agent started."""

    agent: str | None = None
    """Of the agent folder."""
    manifest: str | None = None
    """Of the prepared competition's manifest.json."""
    data: str | None = None
    """Of what the manifest lists, the same wherever the same data was prepared."""
    image: str | None = None
    """The engine's id of the image."""


class Index(_Part):
    """The content of bundle.json."""

    format: Literal[1] = 1
    digest: str
    """sha256 of this document's canonical JSON (sorted keys, no spaces, ASCII escapes) without `digest`."""
    created_at: datetime
    mlebench: str = __version__
    run_id: str | None = None
    run: dict[str, Any]
    """What was asked for (RunConfig)."""
    attempt: dict[str, Any]
    """The attempt's record, as in attempt.json: without the key of its model gateway."""
    sources: Sources
    grade_sha256: str | None
    """Hash of grade.json; None where the attempt has no grade."""
    heads: dict[str, Head]
    files: dict[str, File]
    """Path below the bundle (encoded: %XX for bytes that are not ordinary ASCII) -> size and hash."""
    left_out: list[LeftOut] = []


def digest_of(document: dict[str, Any]) -> str:
    """The digest that a bundle.json of this content must name."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def make_index(**parts: Any) -> Index:
    """An index with its digest; `created_at` is now unless given."""
    draft = Index(digest="", **{"created_at": datetime.now(UTC), **parts})
    return draft.model_copy(update={"digest": digest_of(draft.model_dump(mode="json"))})


def index_bytes(index: Index) -> bytes:
    """bundle.json, the same bytes for the same index."""
    text = json.dumps(index.model_dump(mode="json"), indent=1, sort_keys=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def parse_index(content: bytes) -> tuple[Index, str]:
    """A bundle.json and the digest that its content has (which must be the one it names); NotABundleError otherwise."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise NotABundleError(
                f"The bundle has format {document['format']!r}, this mlebench reads {FORMAT}: use another version."
            )
        return Index.model_validate(document), digest_of(document)
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError):
        raise NotABundleError(f"{BUNDLE_FILE} is not an index of a bundle; the file is damaged.") from None


def read_index(folder: Path) -> tuple[Index, str] | None:
    """The index of a sealed attempt's folder; None where it is not sealed."""
    try:
        with (folder / BUNDLE_FILE).open("rb") as file:
            content = file.read(MAX_INDEX_BYTES + 1)
    except OSError:
        return None
    if len(content) > MAX_INDEX_BYTES:
        raise NotABundleError(f"{folder / BUNDLE_FILE} is too large for an index.")
    return parse_index(content)
