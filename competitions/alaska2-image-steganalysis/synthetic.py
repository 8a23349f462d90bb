"""Small photographs of colour gradients; a hidden message is a faint checkered pattern, in one colour by method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import encode

METHODS = ("JMiPOD", "JUNIWARD", "UERD")
QUALITIES = (75, 90, 95)
STRENGTH = 10


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(300, int(450 * scale)), max(5, int(30 * scale))
    side = min(512, int(16 * max(1.0, scale) ** 0.5) // 8 * 8)
    for folder in ("Cover", *METHODS, "Test"):
        (raw / folder).mkdir()
    rows, columns = np.mgrid[:side, :side]
    message = np.where((rows + columns) % 2, STRENGTH, -STRENGTH)
    for number in range(1, n + 1):
        cover, quality = _photograph(rng, rows, columns), int(rng.choice(QUALITIES))
        _save(raw / "Cover" / f"{number:05d}.jpg", cover, quality)
        for channel, method in enumerate(METHODS):
            stego = cover.copy()
            stego[:, :, channel] += message
            _save(raw / method / f"{number:05d}.jpg", stego, quality)
    names = [f"{number:04d}.jpg" for number in range(1, tests + 1)]
    for name in names:
        _save(raw / "Test" / name, _photograph(rng, rows, columns), int(rng.choice(QUALITIES)))
    pd.DataFrame({"Id": names, "Label": 0}).to_csv(raw / "sample_submission.csv", index=False)


def _photograph(rng: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    slopes = rng.uniform(-40, 40, (2, 3)) / len(rows)
    return rng.uniform(70, 180, 3) + rows[..., None] * slopes[0] + columns[..., None] * slopes[1]


def _save(path: Path, pixels: np.ndarray, quality: int) -> None:
    # Colours at full resolution, or the faint pattern would be lost.
    path.write_bytes(encode(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "JPEG", quality=quality, subsampling=0))
