"""A fifth of the images of every species (seed 0) to the test set, renumbered; see the shared recipe."""

from __future__ import annotations

from pathlib import Path

from mlebench.recipes.herbarium import prepare_herbarium


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    prepare_herbarium(raw, public, private, folder="nybg2020", encoding="latin-1")
