"""Sheets of paper with a plant in its species' colour; see the shared generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.synthetic.herbarium import write_herbarium_raw


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    write_herbarium_raw(raw, rng, scale, folder="", places="institutions", rank="order", encoding="utf-8")
