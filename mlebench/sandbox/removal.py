"""Removing a folder that an agent filled: however deep, however closed, without following anything it made."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_AT_ONCE = 100_000


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it; nothing where there is none. OSError when something cannot be removed.

    Folders within folders are moved to the top before they are emptied: no path grows too long, no recursion too
    deep (shutil.rmtree gives up at a thousand levels), and two open folders are enough.
    """
    try:
        top = _open(path)
    except FileNotFoundError:
        return
    try:
        numbers = itertools.count()
        _open_up(top)
        while names := _names(top):
            for name, is_folder in names:
                if is_folder:
                    _empty(top, name, numbers)
                    os.rmdir(name, dir_fd=top)
                else:
                    os.unlink(name, dir_fd=top)
    finally:
        os.close(top)
    path.rmdir()


def _empty(top: int, name: str, numbers: itertools.count[int]) -> None:
    """Remove the files of a folder, and move its folders to the top."""
    folder = _open(name, top)
    try:
        _open_up(folder)
        while names := _names(folder):
            for entry, is_folder in names:
                if is_folder:
                    _move_up(folder, entry, top, numbers)
                else:
                    os.unlink(entry, dir_fd=folder)
    finally:
        os.close(folder)


def _move_up(folder: int, entry: str, top: int, numbers: itertools.count[int]) -> None:
    with suppress(PermissionError):  # moving a folder changes its `..`, for which it must be writable
        os.chmod(entry, 0o700, dir_fd=folder)
    while True:
        try:
            os.rename(entry, f"{next(numbers)}", src_dir_fd=folder, dst_dir_fd=top)
            return
        except OSError as problem:  # something at the top has this name
            if problem.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR):
                raise


def _open(name: str | Path, within: int | None = None) -> int:
    """Open a folder, also one of ours that was closed to us."""
    try:
        return os.open(name, _FOLDER, dir_fd=within)
    except PermissionError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode):
            raise
        os.chmod(name, 0o700, dir_fd=within)
        return os.open(name, _FOLDER, dir_fd=within)


def _open_up(folder: int) -> None:
    if os.fstat(folder).st_mode & 0o700 != 0o700:
        with suppress(PermissionError):
            os.fchmod(folder, 0o700)


def _names(folder: int) -> list[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in itertools.islice(entries, _AT_ONCE)]
