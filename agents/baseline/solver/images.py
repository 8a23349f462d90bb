"""Pictures named by an id, in folders or zips, turned into small rows of numbers."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from solver.environment import Clock, OutOfTime
from solver.features import Views

log = logging.getLogger(__name__)

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"}
MOST_FILES = 1_000_000
SIDE = 16
"""Pictures are scaled to SIDE x SIDE, unless all are smaller and of one size."""
BINS = 8
"""Bins of each channel's histogram."""
TRIAL = 50
"""Pictures read to learn their shape and how long the others will take."""
SHARE_OF_TIME = 0.5
"""Part of the time left that reading may take."""
FEWEST_TO_LEARN = 30


@dataclass(frozen=True)
class _Place:
    path: Path
    member: str | None


class Pictures:
    """The pictures of one part (train or test) by file name, by name without suffix, and by relative path."""

    def __init__(self, root: Path, part: str) -> None:
        self._places: dict[str, _Place] = {}
        self._archives: dict[Path, zipfile.ZipFile] = {}
        for source in sources(root, part):
            self._index(source)
            if self._places:
                log.info("%s pictures from %s: %d names", part, source.name, len(self._places))
                break

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __bool__(self) -> bool:
        return bool(self._places)

    def open(self, key: str) -> Image.Image:
        """The picture named by this id."""
        place = self._places[key]
        if place.member is None:
            return Image.open(place.path)
        archive = self._archives.setdefault(place.path, zipfile.ZipFile(place.path))
        return Image.open(io.BytesIO(archive.read(place.member)))

    def _index(self, source: Path) -> None:
        if source.is_dir():
            names = (path.relative_to(source).as_posix() for path in source.rglob("*"))
        else:
            names = iter(zipfile.ZipFile(source).namelist())
        for name, _ in zip(names, range(MOST_FILES), strict=False):
            file = Path(name)
            if file.suffix.lower() in SUFFIXES and "__MACOSX" not in name:
                place = _Place(source / name, None) if source.is_dir() else _Place(source, name)
                for key in (name, file.name, file.stem):
                    self._places.setdefault(key, place)


def sources(root: Path, part: str) -> list[Path]:
    """Folders and zips that may hold a part's pictures: named like the part first, shared ones last."""
    other = {"train": "test", "test": "train"}[part]
    entries = [path for path in sorted(root.iterdir()) if path.is_dir() or path.suffix.lower() == ".zip"]
    words = {path: set(re.findall(r"[a-z]+", path.stem.lower())) for path in entries}
    usable = [path for path in entries if other not in words[path]]
    return sorted(usable, key=lambda path: (part not in words[path], len(path.name)))


def find_keys(table: pd.DataFrame, names: list[str], pictures: Pictures) -> str | None:
    """The column that names pictures."""
    for name in names:
        if name in table and all(str(key) in pictures for key in table[name].head(TRIAL)):
            return name
    return None


def class_folders(root: Path) -> pd.DataFrame | None:
    """Pictures sorted into one folder a class: their relative paths and classes."""
    for source in sources(root, "train"):
        if source.is_dir() and "train" in source.name.lower():
            files = [path for path in source.glob("*/*") if path.suffix.lower() in SUFFIXES]
            if files:
                files.sort()
                paths = [path.relative_to(source).as_posix() for path in files]
                return pd.DataFrame({"path": paths, "folder": [path.parent.name for path in files]})
    return None


class PictureFeatures:
    """Turns pictures into views; shape and colours are learnt from the first training pictures."""

    def __init__(self, pictures: Pictures, keys: list[str]) -> None:
        trial = [pictures.open(key) for key in keys[:TRIAL]]
        self.mode = "L" if all(image.mode in ("1", "L", "I", "I;16", "F") for image in trial) else "RGB"
        sizes = {image.size for image in trial}
        small = len(sizes) == 1 and max(next(iter(sizes))) <= SIDE
        self.size = next(iter(sizes)) if small else (SIDE, SIDE)

    def views(self, pictures: Pictures, keys: list[str], clock: Clock) -> Views:
        """pixels: values in 0..1. trees: the same and each channel's mean, spread and histogram."""
        rows = []
        for key in keys:
            clock.check()
            rows.append(self._row(pictures.open(key)))
        pixels = np.stack([row[0] for row in rows])
        return {"pixels": pixels, "trees": np.hstack([pixels, np.stack([row[1] for row in rows])])}

    def _row(self, image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        image.draft(self.mode, (2 * SIDE, 2 * SIDE))  # lets the JPEG decoder skip detail that is thrown away anyway
        image = image.convert(self.mode)
        channels = np.asarray(image, dtype=np.float32).reshape(image.height * image.width, -1) / 255
        bins = [np.histogram(channel, BINS, (0, 1))[0] / len(channels) for channel in channels.T]
        summary = np.concatenate([channels.mean(axis=0), channels.std(axis=0), *bins]).astype(np.float32)
        if image.size != self.size:
            image = image.resize(self.size, Image.Resampling.BOX)
        return np.asarray(image, dtype=np.float32).ravel() / 255, summary


def affordable(pictures: Pictures, keys: list[str], others: int, clock: Clock) -> int:
    """How many of these training pictures can be read, when `others` test pictures have to be read as well."""
    start = clock.spent
    features = PictureFeatures(pictures, keys)
    sample = keys[:: max(1, len(keys) // TRIAL)][:TRIAL]
    features.views(pictures, sample, clock)
    seconds = max(1e-5, (clock.spent - start) / len(sample))
    count = min(len(keys), int(SHARE_OF_TIME * clock.left / seconds) - others)
    if count < FEWEST_TO_LEARN:
        raise OutOfTime(f"reading {others} test pictures at {seconds:.3f} s each leaves no time to learn")
    return count
