"""Pages of blocks for words; each page is dirtied in four ways, and the clean page is a threshold of every one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.data.archives import write_zip
from mlebench.synthetic.images import encode

DIRT = 4
"""Kinds of dirt that each page is shown with."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    zoom = min(10.0, max(1.0, scale**0.5))  # at scale 100 the pages are as large and as many as the real ones
    pages = max(8, round(0.36 * scale))
    sizes = [(round(high * zoom), round(54 * zoom)) for high in (26, 42)]
    cleans = [_page(rng, *sizes[page % 2]) for page in range(pages)]
    numbers = rng.permutation(np.arange(1, 2 * pages * DIRT + 1, 2))
    dirty, clean = [], []
    for number, page in zip(numbers, np.repeat(np.arange(pages), DIRT), strict=True):
        dirty.append((f"train/{number}.png", encode(_dirtied(rng, cleans[page]), "PNG")))
        clean.append((f"train_cleaned/{number}.png", encode(cleans[page], "PNG")))
    write_zip(raw / "train.zip", sorted(dirty))
    write_zip(raw / "train_cleaned.zip", sorted(clean))
    tests = [(f"test/{2 * i}.png", encode(_dirtied(rng, _page(rng, *sizes[0])), "PNG")) for i in range(1, 3)]
    write_zip(raw / "test.zip", tests)
    write_zip(raw / "sampleSubmission.csv.zip", [("sampleSubmission.csv", b"id,value\n2_1_1,1\n")])


def _page(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A white page with lines of dark blocks whose edges are grey."""
    page = np.full((height, width), 255, np.uint8)
    line = max(4, height // 7)
    for top in range(line // 2, height - line, line):
        left = 2
        while left < width - 4:
            length = int(rng.integers(2, max(3, width // 6)))
            right = min(left + length, width - 2)
            page[top : top + line // 2, left:right] = 0
            page[top + line // 2, left:right] = rng.integers(60, 110)
            left = right + max(2, width // 27)
    return page


def _dirtied(rng: np.random.Generator, page: np.ndarray) -> np.ndarray:
    """The page on darker paper, with a round stain; ink stays darker than any dirt."""
    height, width = page.shape
    rows, columns = np.ogrid[:height, :width]
    y, x, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.3, 0.7) * height
    stain = np.hypot(rows - y, columns - x) < radius
    paper = rng.normal(225, 8, page.shape) - 60.0 * stain
    ink = rng.normal(40, 8, page.shape) + page * 0.4
    return np.clip(np.where(page < 128, ink, paper), 0, 255).astype(np.uint8)
