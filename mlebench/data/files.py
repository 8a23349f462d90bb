"""Putting unchanged files into a prepared folder without copying their bytes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from mlebench.errors import DataError


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`: a hard link, or a copy where the file system has none.

    The target's folder is made when missing. A link to a symlink's target is made, never to the symlink.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=True)
    except FileNotFoundError:
        raise DataError(f"The raw file {source} is missing; fetch the raw data again.") from None
    except FileExistsError:
        raise
    except OSError:  # another device, no hard links here, or too many links
        shutil.copyfile(source, target)


def link_all(pairs: Iterable[tuple[Path, Path]]) -> int:
    """Link many (source, target) pairs and return how many; each folder is made once."""
    made: set[Path] = set()
    count = 0
    for source, target in pairs:
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        link(source, target)
        count += 1
    return count


def link_named(source: Path, target: Path, names: Iterable[str]) -> int:
    """Link the files of these names (or relative paths) from one folder to the same place below another."""
    return link_all((source / name, target / name) for name in names)


def link_tree(source: Path, target: Path) -> int:
    """Link every regular file below `source` to the same relative place below `target`; return how many."""
    files = (path for path in sorted(source.rglob("*")) if path.is_file())
    return link_all((path, target / path.relative_to(source)) for path in files)
