"""Putting unchanged files into a prepared folder without copying their bytes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mlebench.errors import DataError

_FICLONE = 0x40049409
"""Linux' request to clone a file (btrfs, xfs, bcachefs)."""


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`: a hard link, or a copy where the file system has none.

    The target's folder is made when missing. A link to a symlink's target is made, never to the symlink.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _link(source, target)


def link_all(pairs: Iterable[tuple[Path, Path]]) -> int:
    """Link many (source, target) pairs and return how many; each folder is made once."""
    made: set[Path] = set()
    count = 0
    for source, target in pairs:
        folder = target.parent
        if folder not in made:
            folder.mkdir(parents=True, exist_ok=True)
            made.add(folder)
        _link(source, target)
        count += 1
    return count


def _link(source: Path | str, target: Path | str) -> None:
    try:
        os.link(source, target, follow_symlinks=True)
    except FileNotFoundError:
        raise DataError(f"The raw file {source} is missing; fetch the raw data again.") from None
    except FileExistsError:
        raise
    except OSError:  # another device, no hard links here, or too many links
        _copy(Path(source), Path(target))


def _copy(source: Path, target: Path) -> None:
    """A reflink (the same blocks until one of the two is changed) where the file system has them, else a copy."""
    with source.open("rb") as theirs, target.open("xb") as ours, suppress(OSError):
        fcntl.ioctl(ours, _FICLONE, theirs.fileno())
        return
    shutil.copyfile(source, target)


def link_named(source: Path, target: Path, names: Iterable[str]) -> int:
    """Link the files of these names (or relative paths) from one folder to the same place below another."""
    made: set[str] = set()
    count = 0
    for name in names:
        theirs, ours = f"{source}/{name}", f"{target}/{name}"
        folder = ours.rpartition("/")[0]
        if folder not in made:
            Path(folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        _link(theirs, ours)
        count += 1
    return count


def link_tree(source: Path, target: Path, *, required: bool = True) -> int:
    """Link every regular file below `source` to the same relative place below `target`; return how many.

    Where there is none, DataError if they are `required`.
    """
    files = (path for path in sorted(source.rglob("*")) if path.is_file())
    count = link_all((path, target / path.relative_to(source)) for path in files)
    if required and not count:
        raise DataError(f"The raw folder {source} is missing or empty; fetch the raw data again.")
    return count
