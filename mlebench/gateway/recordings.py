"""Recorded answers: what a model once said to a request, to be said again without the model.

    <folder>/<first two digits>/<hash of the request>/<occurrence>.rec
    <folder>/<first two digits>/<hash of its shape>/<occurrence>.same

A recording is one line of JSON (status, content type, lengths of the pieces, usage) followed by the answer's bytes. It
appears whole or not at all. Requests are found by their content, so the folder holds no list. The shape of a request
is the request with every number and duration in it blanked out: prompts that tell how much time is left, or name a run's folder, are
never the same twice. It is looked for where the request itself is not found; the second kind of file leads there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from mlebench.gateway.prices import Tokens

_LARGEST = 256 * 1024**2
_DURATION = re.compile(r"(?:(?<=\\n)an?|\ban?|#) (?:moment|second|minute|hour|day)s?\b")
"""As people say it: "a moment", "2 seconds"."""
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass
class Recording:
    """An answer as the agent received it."""

    status: int
    content_type: str
    pieces: list[bytes] = field(default_factory=list)
    """A stream's pieces as they came; of a plain answer, one."""
    whole: bool = True
    """False: the provider broke off; so does the replay."""
    tokens: Tokens = field(default_factory=Tokens)
    size: int = 0

    def add(self, piece: bytes) -> None:
        """Keep a piece; answers beyond all measure are not kept."""
        self.size += len(piece)
        if self.size <= _LARGEST:
            self.pieces.append(piece)


@dataclass(frozen=True)
class Place:
    """A request among those of its attempt: hashes of it and of its shape, and how often each was asked before."""

    request: str
    occurrence: int
    shape: str
    shape_occurrence: int


def request_hashes(protocol: str, model: str, body: dict[str, Any]) -> tuple[str, str]:
    """Hash of a request and of its shape.

    Hashed are protocol and method, model reference, and the body without its model, in canonical form.
    """
    rest = {key: value for key, value in body.items() if key != "model"}
    text = json.dumps([protocol, model, rest], sort_keys=True, separators=(",", ":"))
    shape = "shape " + _DURATION.sub("#", _NUMBER.sub("#", text))
    return hashlib.sha256(text.encode()).hexdigest(), hashlib.sha256(shape.encode()).hexdigest()


class Occurrences:
    """How often an attempt asked each request."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def take(self, request: str, shape: str) -> Place:
        """The next place of a request with these hashes."""
        place = Place(request, self._counts[request], shape, self._counts[shape])
        self.seen(request, shape)
        return place

    def give_back(self, place: Place) -> None:
        """The request was turned away, which is as if it had not been asked."""
        self._counts.subtract((place.request, place.shape))

    def seen(self, request: str, shape: str) -> None:
        """Count a request of an earlier process."""
        self._counts.update((request, shape))


class Recordings:
    """A folder of recorded answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, place: Place, recording: Recording) -> None:
        """Keep an answer; an earlier one to the same request and occurrence is replaced."""
        if recording.size > _LARGEST:
            return
        head = {
            "status": recording.status,
            "content_type": recording.content_type,
            "pieces": [len(piece) for piece in recording.pieces],
            "whole": recording.whole,
            "tokens": list(astuple(recording.tokens)),
        }
        path = self._path(place.request, place.occurrence, "rec")
        _write(path, [json.dumps(head).encode() + b"\n", *recording.pieces])
        pointer = json.dumps([place.request, place.occurrence]).encode()
        _write(self._path(place.shape, place.shape_occurrence, "same"), [pointer])

    def find(self, place: Place) -> tuple[Recording, str] | None:
        """The answer, and "request" or "shape" for what it was found by; None when there is none."""
        found = self._read(place.request, place.occurrence)
        if found is not None:
            return found, "request"
        try:
            request, occurrence = json.loads(self._path(place.shape, place.shape_occurrence, "same").read_bytes())
            found = self._read(str(request), int(occurrence))
        except (OSError, ValueError, TypeError):
            return None
        return None if found is None else (found, "shape")

    def _read(self, request: str, occurrence: int) -> Recording | None:
        try:
            line, _, rest = self._path(request, occurrence, "rec").read_bytes().partition(b"\n")
            head = json.loads(line)
            pieces, start = [], 0
            for length in head["pieces"]:
                pieces.append(rest[start : start + length])
                start += length
            if start != len(rest):
                return None
            return Recording(head["status"], head["content_type"], pieces, head["whole"], Tokens(*head["tokens"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None

    def _path(self, digest: str, occurrence: int, kind: str) -> Path:
        return self._folder / digest[:2] / digest / f"{occurrence}.{kind}"


def _write(path: Path, parts: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(beside, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(parts)
    beside.replace(path)
