"""Names of files as text: the system allows any bytes in them, manifests and messages do not."""

from __future__ import annotations

import os


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, so that a manifest can hold it. Python has surrogates for bytes that are not."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    """A path as a message can hold it, whatever bytes it is made of."""
    return os.fsdecode(name).encode("utf-8", "backslashreplace").decode()
