"""Which files a folder of data holds: regular ones, by names that a manifest can hold. All else is odd, and is told."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from mlebench.errors import DataError
from mlebench.pathnames import is_text, shown

Odd = Callable[[str, str], object]
"""Is told the relative path of what is not listed, and why: `is no regular file`."""


def walk(folder: Path, odd: Odd, *, follow: bool = False) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Relative path and entry of every regular file below a folder, sorted; none where there is no such folder.

    With `follow` a symlink to a regular file is one, too; symlinks to folders are not gone into.
    """
    waiting = [_entries(str(folder), "", odd)]
    prefixes = [""]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            prefixes.pop()
            continue
        name = prefixes[-1] + entry.name
        if not is_text(entry.name):
            odd(name, "has a name that is not UTF-8")
        elif entry.is_dir(follow_symlinks=False):
            prefixes.append(f"{name}/")
            waiting.append(_entries(entry.path, name, odd))
        elif _is_file(entry, follow):
            yield name, entry
        else:
            odd(name, "is no regular file")


def open_regular(path: Path | str, *, follow: bool = True) -> IO[bytes]:
    """Open a regular file for reading; DataError on a folder, device or FIFO (without waiting for who writes into it).

    Without `follow` on a symlink, too.
    """
    try:
        file = open(path, "rb", opener=_open_following if follow else _open_itself)  # noqa: SIM115  (the caller closes it)
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.ELOOP, errno.ENXIO):  # a folder; a symlink; a socket
            raise
        raise DataError(f"{shown(path)} is no regular file; remove it.") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise DataError(f"{shown(path)} is no regular file; remove it.")
    return file


def _open_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _entries(folder: str, name: str, odd: Odd) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            return iter(sorted(scan, key=lambda entry: entry.name))
    except FileNotFoundError:
        pass
    except OSError as error:
        odd(name, f"cannot be read ({error.strerror})")
    return iter(())


def _is_file(entry: os.DirEntry[str], follow: bool) -> bool:
    try:
        return entry.is_file(follow_symlinks=follow)
    except OSError:  # a symlink in a circle, or into a folder that may not be read
        return False
