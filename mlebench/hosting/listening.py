"""The place at which a service of the host is reached. Standard library only: confined processes load it."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path


def listen_at(path: Path | None, port: int = 0, backlog: int = 128) -> socket.socket:
    """A socket that listens at a Unix socket's path, or without one at a port of 127.0.0.1 (0: a free one).

    An older socket at the path is replaced. Everybody may connect: the container's user is another one, and the folder
    decides who comes this far.
    """
    if path is None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
    else:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # A socket's address has at most 108 bytes, however long the folder's path is.
            short = f"/proc/self/fd/{folder}/{path.name}" if sys.platform.startswith("linux") else str(path)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(short)  # noqa: PTH108
            listening.bind(short)
            os.chmod(short, 0o666)  # noqa: PTH101
        finally:
            os.close(folder)
    listening.listen(backlog)
    return listening
