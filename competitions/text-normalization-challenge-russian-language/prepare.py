"""Tokens split by sentence; the recipe is shared with the English challenge."""

from __future__ import annotations

from pathlib import Path

from mlebench.recipes.text_normalization import prepare_text_normalization


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    prepare_text_normalization(raw, public, private, language="ru")
