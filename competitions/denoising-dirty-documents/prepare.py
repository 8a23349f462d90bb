"""Page images of train.zip, 20 % to the test set (seed 0); the answers are every pixel of their clean versions."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from mlebench.data.archives import extract_zip, open_zip, read_members
from mlebench.data.splits import split_items
from mlebench.formats.pixels import write_pixel_table


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_items(_pages(raw / "train.zip", "train"), 0.2)
    extract_zip(raw / "train.zip", public, members=[f"train/{name}" for name in [*train, *test]])
    (public / "test").mkdir()
    for name in test:
        (public / "train" / name).rename(public / "test" / name)
    hidden = {f"train_cleaned/{name}" for name in test}
    cleaned = [f"train_cleaned/{name}" for name in _pages(raw / "train_cleaned.zip", "train_cleaned")]
    extract_zip(raw / "train_cleaned.zip", public, members=[name for name in cleaned if name not in hidden])
    answers = _greys(raw / "train_cleaned.zip", sorted(hidden))
    write_pixel_table(private / "answers.csv", ((stem, greys / 255.0) for stem, greys in answers))
    white = ((stem, np.ones_like(greys)) for stem, greys in _greys(raw / "train_cleaned.zip", sorted(hidden)))
    write_pixel_table(public / "sampleSubmission.csv", white)


def _pages(archive: Path, folder: str) -> list[str]:
    """File names of a folder's pages in text order."""
    with open_zip(archive) as opened:
        paths = [PurePosixPath(name) for name in opened.namelist()]
    return sorted(path.name for path in paths if path.suffix == ".png" and str(path.parent) == folder)


def _greys(archive: Path, members: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    for member, content in read_members(archive, members):
        with Image.open(io.BytesIO(content)) as image:
            yield PurePosixPath(member).stem, np.asarray(image.convert("L"))
