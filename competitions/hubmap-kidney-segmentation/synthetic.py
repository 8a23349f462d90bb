"""Pale tissue with dark discs; the discs are the glomeruli, given as runs and as polygons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.rle import encode_mask
from mlebench.synthetic.images import colour_noise, encode, with_ellipse
from mlebench.synthetic.text import hex_ids

LABELLED, UNLABELLED = 15, 5
"""Images of the contest; the recipe takes 3 of the labelled ones for the test."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` makes the images larger, never more of them."""
    ids = hex_ids(rng, LABELLED + UNLABELLED, 9)
    encodings, sizes = [], []
    for number, key in enumerate(ids):
        height = round((64 + 2 * (number % 4)) * max(1.0, scale) ** 0.5)
        width = round((90 + 3 * (number % 5)) * max(1.0, scale) ** 0.5)
        folder = raw / ("train" if number < LABELLED else "test")
        folder.mkdir(exist_ok=True)
        mask, discs = _discs(rng, height, width)
        pixels = colour_noise(rng, height, width, (225, 190, 215), spread=10)
        pixels[mask > 0] -= np.uint8(90)
        (folder / f"{key}.tiff").write_bytes(encode(pixels, "TIFF"))
        region = [[[0, 0], [width, 0], [width, height // 2], [0, height // 2], [0, 0]]]
        (folder / f"{key}-anatomical-structure.json").write_text(json.dumps([_feature(region, "Cortex")]))
        if number < LABELLED:
            polygons = [_feature([_circle(*disc)], "glomerulus") for disc in discs]
            (folder / f"{key}.json").write_text(json.dumps(polygons))
            encodings.append(encode_mask(mask))
        sizes.append((width, height))
    pd.DataFrame({"id": ids[:LABELLED], "encoding": encodings}).to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"id": ids[LABELLED:], "predicted": ""}).to_csv(raw / "sample_submission.csv", index=False)
    _information(rng, ids, sizes).to_csv(raw / "HuBMAP-20-dataset_information.csv", index=False)


def _discs(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, list[tuple[float, float, float]]]:
    """0/1 (height, width) and the discs in it as (x, y, radius)."""
    mask, discs = np.zeros((height, width), np.uint8), []
    for _ in range(int(rng.integers(2, 6))):
        radius = float(rng.uniform(0.06, 0.13) * height)
        x, y = float(rng.uniform(radius, width - radius)), float(rng.uniform(radius, height - radius))
        mask = with_ellipse(mask, (x - radius, y - radius, x + radius, y + radius), 1)
        discs.append((x, y, radius))
    return mask, discs


def _circle(x: float, y: float, radius: float) -> list[list[float]]:
    angles = np.linspace(0, 2 * np.pi, 17)
    return np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)]).round(1).tolist()


def _feature(coordinates: list, name: str) -> dict:
    return {
        "type": "Feature",
        "id": "PathAnnotationObject",
        "geometry": {"type": "Polygon", "coordinates": coordinates},
        "properties": {"classification": {"name": name, "colorRGB": -3140401}, "isLocked": True},
    }


def _information(rng: np.random.Generator, ids: list[str], sizes: list[tuple[int, int]]) -> pd.DataFrame:
    n = len(ids)
    weight, height = rng.uniform(50, 110, n).round(1), rng.uniform(150, 195, n).round(1)
    cortex = rng.choice([55, 65, 80], n)
    table = {
        "image_file": [f"{key}.tiff" for key in ids],
        "width_pixels": [size[0] for size in sizes],
        "height_pixels": [size[1] for size in sizes],
        "anatomical_structures_segmention_file": [f"{key}-anatomical-structure.json" for key in ids],
        "glomerulus_segmentation_file": [f"{key}.json" for key in ids],
        "patient_number": rng.integers(60000, 70000, n // 2)[np.arange(n) // 2],
        "race": rng.choice(["White", "Black or African American"], n),
        "ethnicity": "Not Hispanic or Latino",
        "sex": rng.choice(["Male", "Female"], n),
        "age": rng.integers(30, 80, n),
        "weight_kilograms": weight,
        "height_centimeters": height,
        "bmi_kg/m^2": (weight / (height / 100) ** 2).round(1),
        "laterality": rng.choice(["Left", "Right"], n),
        "percent_cortex": cortex,
        "percent_medulla": 100 - cortex,
    }
    return pd.DataFrame(table).sample(frac=1, random_state=0)
