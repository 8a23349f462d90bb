"""Picture in, picture out: each output pixel from the input pixels around it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingRegressor

from solver.environment import Clock
from solver.strategies import Proposal
from solver.task import Task

log = logging.getLogger(__name__)

PIXEL_ID = re.compile(r".+_\d+_\d+")
LOOK_AT = 100
PIXELS_PER_SECOND = 3_000
FEWEST_PIXELS, MOST_PIXELS = 20_000, 1_000_000
HELD_OUT = 0.2
"""Share of the training pictures that tells how good the model is."""
BACKGROUND = 27
"""Side of the window whose median is taken for the paper behind the ink."""
STRIDE = 3
"""Only each third row and column goes into that median, for speed; paper changes slowly."""


class PixelRegression:
    """For ids picture_row_column and pairs of equally named training pictures in two folders."""

    name = "regression of pixels on their neighbourhood"

    def fits(self, task: Task) -> bool:
        """One value a pixel, and folders train, another train... with the same names, and test."""
        ids = task.sample[task.ids[0]].head(LOOK_AT)
        pixels = len(task.targets) == 1 and len(task.ids) == 1 and all(PIXEL_ID.fullmatch(key) for key in ids)
        return pixels and _folders(task.root) is not None

    def solve(self, task: Task, clock: Clock, cpus: int) -> Iterator[Proposal]:
        """One submission from boosted trees on a random part of the training pixels."""
        folders = _folders(task.root)
        assert folders is not None
        dirty, clean, test = folders
        names = sorted(path.name for path in dirty.iterdir() if (clean / path.name).is_file())
        random = np.random.default_rng(task.seed)
        random.shuffle(names)
        held_out = names[: max(1, int(HELD_OUT * len(names)))]
        wanted = int(np.clip(PIXELS_PER_SECOND * clock.left, FEWEST_PIXELS, MOST_PIXELS)) // len(names)
        samples = {name: _sample(dirty / name, clean / name, wanted, random) for name in names}
        inside = [samples[name] for name in names if name not in held_out]
        model = HistGradientBoostingRegressor(learning_rate=0.1, max_iter=200, random_state=task.seed)
        error = None
        if inside:
            model.fit(np.vstack([x for x, _ in inside]), np.concatenate([y for _, y in inside]))
            truth = np.concatenate([samples[name][1] for name in held_out])
            guess = np.clip(model.predict(np.vstack([samples[name][0] for name in held_out])), 0, 1)
            error = float(np.sqrt(np.mean((guess - truth) ** 2)))
            log.info("RMSE on pixels of %d held-out pictures: %.5f", len(held_out), error)
        model.fit(np.vstack([x for x, _ in samples.values()]), np.concatenate([y for _, y in samples.values()]))
        frame = task.sample.copy()
        frame[task.targets[0]] = _pixels_in_order(frame[task.ids[0]], test, model, clock)
        facts = {"pairs": len(names), "pixels": wanted * len(names), "cross_validation": {"RMSE": error}}
        yield Proposal(frame, None, facts)


def _folders(root: Path) -> tuple[Path, Path, Path] | None:
    """The folders of input, output and test pictures."""
    folders = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: (len(path.name), path.name))
    trains = [path for path in folders if path.name.startswith("train")]
    tests = [path for path in folders if path.name.startswith("test")]
    if len(trains) != 2 or not tests:
        return None
    names = [{path.name for path in folder.iterdir()} for folder in trains]
    return (trains[0], trains[1], tests[0]) if names[0] & names[1] else None


def read_grey(path: Path) -> np.ndarray:
    """A picture as grey values in 0..1."""
    return np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255


def pixel_features(grey: np.ndarray) -> np.ndarray:
    """Each pixel's 5 x 5 neighbourhood, the paper's brightness around it, and how far it stands out: (pixels, 28)."""
    padded = np.pad(grey, 2, mode="edge")
    height, width = grey.shape
    columns = [padded[i : i + height, j : j + width] for i in range(5) for j in range(5)]
    coarse = ndimage.median_filter(grey[::STRIDE, ::STRIDE], BACKGROUND // STRIDE, mode="nearest")
    paper = coarse.repeat(STRIDE, axis=0).repeat(STRIDE, axis=1)[:height, :width]
    columns += [paper, grey - paper, ndimage.uniform_filter(grey, BACKGROUND, mode="nearest")]
    return np.stack([column.ravel() for column in columns], axis=1)


def _sample(dirty: Path, clean: Path, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x, y = pixel_features(read_grey(dirty)), read_grey(clean).ravel()
    rows = random.choice(len(y), min(count, len(y)), replace=False)
    return x[rows], y[rows]


def _pixels_in_order(ids: pd.Series, folder: Path, model: HistGradientBoostingRegressor, clock: Clock) -> np.ndarray:
    """The cleaned value of every id picture_row_column (counted from 1)."""
    parts = ids.str.rsplit("_", n=2, expand=True)
    rows, columns = parts[1].astype(int).to_numpy() - 1, parts[2].astype(int).to_numpy() - 1
    files = {path.stem: path for path in folder.iterdir()}
    values = np.empty(len(ids))
    for picture, places in parts.groupby(0, sort=False).indices.items():
        clock.check()
        grey = read_grey(files[str(picture)])
        cleaned = np.clip(model.predict(pixel_features(grey)), 0, 1).reshape(grey.shape)
        values[places] = cleaned[rows[places], columns[places]]
    return values.round(4)
