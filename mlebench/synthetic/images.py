"""Made-up images: noise with shapes in it, and encoders that always give the same bytes."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SUFFIXES: dict[str, tuple[str, dict[str, Any]]] = {
    ".jpg": ("JPEG", {"quality": 85}),
    ".png": ("PNG", {}),
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
}
"""File suffix -> image format and how it is written."""


def noise(rng: np.random.Generator, height: int, width: int, *, mean: float = 120, spread: float = 25) -> np.ndarray:
    """Grey noise as uint8 (height, width)."""
    return np.clip(rng.normal(mean, spread, (height, width)), 0, 255).astype(np.uint8)


def colour_noise(
    rng: np.random.Generator, height: int, width: int, mean: tuple[float, float, float], *, spread: float = 20
) -> np.ndarray:
    """Noise around a colour as uint8 (height, width, 3)."""
    return np.clip(rng.normal(mean, spread, (height, width, 3)), 0, 255).astype(np.uint8)


def with_ellipse(pixels: np.ndarray, box: tuple[float, float, float, float], fill: Any) -> np.ndarray:
    """The image with a filled ellipse drawn into the box (x0, y0, x1, y1)."""
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).ellipse(box, fill=fill)
    return np.asarray(image)


def encode(pixels: np.ndarray, format: str, **options: Any) -> bytes:
    """Pixels as the bytes of an image file (JPEG, PNG, TIFF, BMP); the same pixels give the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def colours(count: int) -> list[tuple[int, int, int]]:
    """Distinct colours, evenly around the colour circle and of three brightnesses by turns."""
    circle = (colorsys.hls_to_rgb(i / count, 0.35 + 0.15 * (i % 3), 0.7) for i in range(count))
    return [(round(255 * red), round(255 * green), round(255 * blue)) for red, green, blue in circle]


def spotted(
    rng: np.random.Generator,
    side: int,
    ground: tuple[float, float, float],
    spots: Sequence[tuple[int, int, int]] = (),
    *,
    each: int = 3,
) -> np.ndarray:
    """A square of noise around a colour with `each` round spots of every colour in `spots`; uint8 (side, side, 3)."""
    image = Image.fromarray(colour_noise(rng, side, side, ground))
    draw = ImageDraw.Draw(image)
    for colour in spots:
        for x, y, radius in rng.uniform((0, 0, side / 16), (side, side, side / 6), (each, 3)).tolist():
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return np.asarray(image)


def save_all(folder: Path, images: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write (file name, pixels) pairs into a folder (made when missing), each in the format of its suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels in images:
        format_, options = SUFFIXES[Path(name).suffix]
        (folder / name).write_bytes(encode(pixels, format_, **options))
