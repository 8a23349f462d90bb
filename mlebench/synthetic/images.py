"""Made-up images: noise with shapes in it, and encoders that always give the same bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


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
