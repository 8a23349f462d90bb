"""Recorded answers: what a model once said to a request, to be said again without the model.

    <folder>/<first two digits>/<hash of the request>/<occurrence>.rec

A file is one line of JSON (status, content type, lengths of the pieces, usage) followed by the answer's bytes. It
appears whole or not at all. Requests are found by their content, so the folder holds no list.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from mlebench.gateway.prices import Tokens

_LARGEST = 256 * 1024**2


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


def request_hash(protocol: str, model: str, body: dict[str, Any]) -> str:
    """Hash of a request: protocol and method, model reference, and the body without its model, in canonical form."""
    rest = {key: value for key, value in body.items() if key != "model"}
    text = json.dumps([protocol, model, rest], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Recordings:
    """A folder of recorded answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, digest: str, occurrence: int, recording: Recording) -> None:
        """Keep an answer; an earlier one to the same request and occurrence is replaced."""
        if recording.size > _LARGEST:
            return
        path = self._path(digest, occurrence)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        tokens = recording.tokens
        head = {
            "status": recording.status,
            "content_type": recording.content_type,
            "pieces": [len(piece) for piece in recording.pieces],
            "whole": recording.whole,
            "tokens": list(astuple(tokens)),
        }
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        with open(beside, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(json.dumps(head).encode() + b"\n")
            file.writelines(recording.pieces)
        beside.replace(path)

    def find(self, digest: str, occurrence: int) -> Recording | None:
        """The answer, or None when there is none or its file is damaged."""
        try:
            line, _, rest = self._path(digest, occurrence).read_bytes().partition(b"\n")
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

    def _path(self, digest: str, occurrence: int) -> Path:
        return self._folder / digest[:2] / digest / f"{occurrence}.rec"
