"""Straight chains of carbon drawn as zigzags, as long as their molecule, with a dot for an oxygen at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from mlebench.synthetic.images import encode
from mlebench.synthetic.text import hex_ids

STEP = 12


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(400 * scale))
    molecules = [(length, oxygen) for length in range(2, 12) for oxygen in (False, True)]
    pictures = [encode(_drawing(*molecule), "PNG") for molecule in molecules]
    names = [_inchi(*molecule) for molecule in molecules]
    choice = rng.integers(0, len(molecules), n).tolist()
    ids = hex_ids(rng, n, 12)
    made: set[Path] = set()
    for name, kind in zip(ids, choice, strict=True):
        folder = raw / "train" / name[0] / name[1] / name[2]
        if folder not in made:
            folder.mkdir(parents=True, exist_ok=True)
            made.add(folder)
        (folder / f"{name}.png").write_bytes(pictures[kind])
    labels = pd.DataFrame({"image_id": ids, "InChI": [names[kind] for kind in choice]})
    labels.to_csv(raw / "train_labels.csv", index=False)
    pd.DataFrame({"InChI": names}).to_csv(raw / "extra_approved_InChIs.csv", index=False)
    hidden = hex_ids(rng, 5, 12)
    for name in hidden:
        folder = raw / "test" / name[0] / name[1] / name[2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(pictures[0])
    sample = pd.DataFrame({"image_id": hidden, "InChI": "InChI=1S/H2O/h1H2"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _inchi(length: int, oxygen: bool) -> str:
    """The InChI of an alkane, or of the alcohol with its oxygen at the end."""
    chain = "-".join(str(i) for i in range(1, length + 1 + oxygen))
    middle = f"2-{length - 1}H2" if length > 3 else ("2H2" if length == 3 else "")
    if oxygen:
        inner = f"2-{length}H2" if length > 2 else "2H2"
        return f"InChI=1S/C{length}H{2 * length + 2}O/c{chain}/h{length + 1}H,{inner},1H3"
    hydrogens = ",".join(part for part in (middle, f"1-{length}H3" if length == 2 else f"1,{length}H3") if part)
    return f"InChI=1S/C{length}H{2 * length + 2}/c{chain}/h{hydrogens}"


def _drawing(length: int, oxygen: bool) -> np.ndarray:
    image = Image.new("L", (STEP * length + 24, 60), 255)
    draw = ImageDraw.Draw(image)
    corners = [(12 + STEP * i, 38 if i % 2 else 22) for i in range(length)]
    draw.line(corners, fill=0, width=1)
    if oxygen:
        x, y = corners[-1]
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), outline=0)
    return np.asarray(image)
