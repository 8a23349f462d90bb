"""Writing what an agent printed to a file of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path


def write_bounded(chunks: Iterable[bytes], destination: Path, limit_bytes: int) -> None:
    """Write at most `limit_bytes` of the stream, and a last line that says so when more was there."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    aside = destination.with_name(f".{destination.name}.partial")
    left = limit_bytes
    with aside.open("wb") as file:
        for chunk in chunks:
            file.write(chunk[:left])
            if len(chunk) > left:
                file.write(f"\n[mlebench: cut after {limit_bytes} bytes]\n".encode())
                break
            left -= len(chunk)
    aside.replace(destination)


def read_chunks(path: Path, size: int = 1 << 16) -> Iterator[bytes]:
    """The content of a file piece by piece; nothing when it does not exist."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        while chunk := file.read(size):
            yield chunk
