"""JSON lines as pandas writes them, and reading few members of long lines without decoding the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlebench.errors import DataError


def parse_lines(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects of JSON lines, blank lines left out. Fractions, which no writer here can give back, are a DataError."""
    return (_parse(line.decode("utf-8")) for line in lines if not line.isspace())


def encode_members(members: Mapping[str, Any]) -> bytes:
    r"""One object and its line end, byte for byte as `DataFrame.to_json(orient="records", lines=True)` writes it.

    That is without blanks, with `\uXXXX` for what is not ASCII, and with `\/` for the slash. For objects as
    `parse_lines` gives them: texts, whole numbers, booleans, null, lists and objects (pandas rounds fractions).
    """
    text = _encode(members).replace("/", "\\/")  # a slash occurs within texts only
    if "\\u007f" in text:
        text = _DELETE.sub("\\1\x7f", text)
    return text.encode("ascii") + b"\n"


def read_members(path: Path, names: Sequence[str]) -> Iterator[list[Any]]:
    """The named members of each line's object, for files of long lines of which little is needed.

    A member is found by its key, which is decoded only with its value; a line in which a key occurs several times
    (in an inner object) or is written otherwise is decoded whole. Raises KeyError when a member is missing.
    """
    keys = [json.dumps(name).encode() + b":" for name in names]
    with path.open("rb", buffering=_BUFFER) as file:
        for line in file:
            if line.strip():
                yield _members(line, names, keys)


def _members(line: bytes, names: Sequence[str], keys: Sequence[bytes]) -> list[Any]:
    found = []
    for key in keys:
        # Within a text its second quotation mark would have a backslash before it, so this is a key.
        at = line.rfind(key)
        if at < 1 or line[at - 1] == ord("\\") or line.find(key) != at:
            whole = json.loads(line)
            return [whole[name] for name in names]
        value, _ = _read.raw_decode(line[at + len(key) :].decode("utf-8").lstrip())
        found.append(value)
    return found


def _refuse(fraction: str) -> float:
    raise DataError(f"The JSON lines hold the fraction {fraction}, which they should not; fetch them again.")


_BUFFER = 2**20
_DELETE = re.compile(r"(?<!\\)((?:\\\\)*)\\u007f")
"""The delete character as Python escapes it; pandas leaves it as it is."""
_encode = json.JSONEncoder(separators=(",", ":")).encode
_parse = json.JSONDecoder(parse_float=_refuse).decode
_read = json.JSONDecoder()
