"""Putting unchanged files into a prepared folder without copying their bytes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mlebench.data.raw_files import open_raw, place, raw_names
from mlebench.errors import DataError

_FICLONE = 0x40049409
"""Linux' request to clone a file (btrfs, xfs, bcachefs)."""


_AT_ONCE = 20_000
"""Files that are taken from a zip together, in its order."""


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as the raw file `source`: a hard link, or a copy where the file system has none.

    The target's folder is made when missing. A link to a symlink's target is made, never to the symlink. A raw file
    that lies in a zip is unpacked to `target`.
    """
    link_all([(source, target)])


def link_all(pairs: Iterable[tuple[Path, Path]]) -> int:
    """Link many (source, target) pairs and return how many; each folder is made once."""
    return _link_all((str(source), str(target)) for source, target in pairs)


def link_named(source: Path, target: Path, names: Iterable[str]) -> int:
    """Link the files of these names (or relative paths) from one folder to the same place below another."""
    return _link_all((f"{source}/{name}", f"{target}/{name}") for name in names)


def link_tree(source: Path, target: Path, *, required: bool = True) -> int:
    """Link every regular file below `source` to the same relative place below `target`; return how many.

    Where there is none, DataError if they are `required`.
    """
    count = link_named(source, target, raw_names(source))
    if required and not count:
        raise DataError(f"The raw folder {source} is missing or empty; fetch the raw data again.")
    return count


def copy(source: Path, target: Path) -> None:
    """Write a raw file anew, so that nothing but its content tells where it comes from."""
    with open_raw(source) as theirs, target.open("xb") as ours:
        shutil.copyfileobj(theirs, ours, 1 << 20)


def _link_all(pairs: Iterable[tuple[str, str]]) -> int:
    made: set[str] = set()
    packed: list[tuple[str, str]] = []
    count = 0
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        for source, target in pairs:
            folder = target.rpartition("/")[0]
            if folder not in made:
                Path(folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            if not _link(source, target, here):
                packed.append((source, target))
                if len(packed) >= _AT_ONCE:
                    place(packed)
                    packed.clear()
            count += 1
    finally:
        os.close(here)
    place(packed)
    return count


def _link(source: str, target: str, here: int) -> bool:
    """Link one file; false where it is not in the raw folder. `here` is the current folder, opened.

    Python follows symlinks here only when it is given an open folder: without one it calls Linux' link(), which
    links the symlink itself. Its target would be public then, and may name the class.
    """
    try:
        os.link(source, target, src_dir_fd=here, follow_symlinks=True)
    except FileNotFoundError:
        return False
    except FileExistsError:
        raise
    except OSError:  # another device, no hard links here, or too many links
        _copy(Path(source), Path(target))
    return True


def _copy(source: Path, target: Path) -> None:
    """A reflink (the same blocks until one of the two is changed) where the file system has them, else a copy."""
    with source.open("rb") as theirs, target.open("xb") as ours, suppress(OSError):
        fcntl.ioctl(ours, _FICLONE, theirs.fileno())
        return
    shutil.copyfile(source, target)
