"""Made-up photographs of species: each category has a colour of its own; and how many photographs each gets."""

from __future__ import annotations

import colorsys

import numpy as np

from mlebench.synthetic.images import colour_noise, encode, with_ellipse

SIDE = 24
GOLDEN = 0.6180339887
"""Multiples of it, modulo 1, lie far apart, so that categories drawn at random differ in hue."""


def photograph(rng: np.random.Generator, category: int, background: tuple[float, float, float]) -> bytes:
    """A small JPEG: an ellipse of the category's colour, somewhere on noise around the background's colour."""
    hue, brightness = category * GOLDEN % 1.0, 0.55 + 0.4 * (category % 3) / 2
    colour = tuple(int(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.9, brightness))
    x, y = rng.uniform(1, SIDE - 17, 2)
    width, height = rng.uniform(10, 16, 2)
    pixels = with_ellipse(colour_noise(rng, SIDE, SIDE, background, spread=8), (x, y, x + width, y + height), colour)
    return encode(pixels, "JPEG", quality=90)


def mixed_categories(rng: np.random.Generator, categories: np.ndarray, sizes: list[int]) -> list[int]:
    """The category of each image, in mixed order; categories take the sizes in turn."""
    counts = np.resize(sizes, len(categories))
    return rng.permutation(np.repeat(categories, counts)).tolist()
