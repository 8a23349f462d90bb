"""In which order test files were made, which the numbers of their inodes tell, says nothing about their classes."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pandas as pd
import pytest

from mlebench.data.archives import zip_folder
from mlebench.data.raw_files import forget, lead_to
from mlebench.registry import Registry

CASES = {
    "dogs-vs-cats-redux-kernels-edition": ("test", "answers.csv", "{}.jpg"),
    "paddy-disease-classification": ("test_images", "test.csv", "{}"),
    "plant-seedlings-classification": ("test", "answers.csv", "{}"),
    "tensorflow-speech-recognition-challenge": ("test/audio", "test.csv", "{}"),
    "hotel-id-2021-fgvc8": ("test_images", "test.csv", "{}"),
    "histopathologic-cancer-detection": ("test", "answers.csv", "{}.tif"),
}


@pytest.mark.parametrize("competition_id", CASES)
def test_inodes_do_not_tell_the_class(competition_id: str, tmp_path: Path) -> None:
    folder, answers, pattern = CASES[competition_id]
    for name in ("raw", "public", "private"):
        (tmp_path / name).mkdir()
    competition = Registry().get(competition_id)
    competition.make_raw(tmp_path / "raw")
    zip_folder(tmp_path / "raw", tmp_path / "raw.zip")
    lead_to(tmp_path / "raw.zip", tmp_path / "packed")
    competition.prepare(tmp_path / "packed", tmp_path / "public", tmp_path / "private")
    forget()
    table = pd.read_csv(tmp_path / "private" / answers, dtype=str)
    label = next(name for name in ("label", "species", "hotel_id") if name in table)
    id_column = next(name for name in table if name != label and table[name].is_unique)
    classes = {pattern.format(key): value for key, value in zip(table[id_column], table[label], strict=True)}
    files = sorted((tmp_path / "public" / folder).iterdir(), key=lambda path: path.stat().st_ino)
    runs = len(list(groupby(classes[path.name] for path in files)))
    by_chance = len(files) * (1 - (table[label].value_counts(normalize=True) ** 2).sum())
    assert len(files) == len(classes) and runs > by_chance / 2, (runs, by_chance)
