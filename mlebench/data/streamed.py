"""Raw tables that stay in their zip: a recipe that reads them row by row needs no unpacked copy beside what it writes.

competition.toml names them (`streamed` under `[data]`) and the recipe opens them with `open_raw`, whether they lie in
the raw folder as files, as in somebody's own folder, or in the zip, as after a download.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlebench.data.archives import extract_zip, open_member, open_zip
from mlebench.data.files import link
from mlebench.errors import DataError

ARCHIVE = ".archive.zip"
"""Within a raw folder: the zip that holds what was not unpacked."""


@contextmanager
def open_raw(raw: Path, name: str) -> Iterator[IO[bytes]]:
    """Read a raw file as a stream; DataError where it is neither in the folder nor in the folder's zip."""
    path, archive = raw / name, raw / ARCHIVE
    if path.is_file():
        with path.open("rb") as file:
            yield file
    elif archive.is_file():
        with open_member(archive, name) as member:
            yield member
    else:
        raise DataError(f"The raw file {path} is missing; fetch the raw data again.")


def unpack(archive: Path, folder: Path, streamed: Sequence[str] = (), *, own: bool = False) -> None:
    """Extract a zip below `folder` but for the `streamed` members; the folder leads to the zip if it holds any.

    `own`: the zip is ours and may be removed meanwhile, so the folder must hold on to it.
    """
    with open_zip(archive) as opened:
        names = [info.filename for info in opened.infolist() if not info.is_dir()]
    left = set(streamed).intersection(names)
    if not left:
        extract_zip(archive, folder)
        return
    extract_zip(archive, folder, members=[name for name in names if name not in left])
    if own:
        link(archive, folder / ARCHIVE)
    else:
        (folder / ARCHIVE).symlink_to(archive.absolute())
