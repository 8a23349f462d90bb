"""Files of the published benchmark that need no real data to be made: their md5 sums tell that splits are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlebench.data.splits import split_items, train_test_positions
from mlebench.data.tables import csv_bytes
from mlebench.registry import Registry


def steganalysis(private: bool) -> bytes:
    prepare = Registry().get("alaska2-image-steganalysis")._module("prepare.py")
    names = [f"{number:05d}.jpg" for number in range(1, 75_001)]
    _, test = split_items(names, len(names) // 15, seed=42)
    shown = prepare.choose_variants(test)
    labels = [int(folder != "Cover") if private else 0 for folder, _ in shown]
    return csv_bytes(pd.DataFrame({"Id": [f"{k:04d}.jpg" for k in range(1, 5001)], "Label": labels}))


def reviews() -> bytes:
    phrases = np.arange(1, 156_061)
    _, test = train_test_positions(len(phrases), 0.3)
    return csv_bytes(pd.DataFrame({"PhraseId": phrases[test], "Sentiment": 2}))


def phonemes() -> bytes:
    frames, kaggle_test = 1_229_932, 451_552
    _, test = train_test_positions(frames, kaggle_test / (frames + kaggle_test))
    return csv_bytes(pd.DataFrame({"Id": range(len(test)), "ClassId": 0}))


def playground() -> bytes:
    return csv_bytes(pd.DataFrame({"id": range(800_000, 900_000), "target": 0.5}))


@pytest.mark.parametrize(
    ("competition", "name", "make"),
    [
        ("alaska2-image-steganalysis", "private/test.csv", lambda: steganalysis(True)),
        ("alaska2-image-steganalysis", "public/sample_submission.csv", lambda: steganalysis(False)),
        ("movie-review-sentiment-analysis-kernels-only", "public/sampleSubmission.csv", reviews),
        ("ml2021spring-hw2", "public/sampleSubmission.csv", phonemes),
        ("tabular-playground-series-may-2022", "public/sample_submission.csv", playground),
    ],
)
def test_the_published_sum(competition: str, name: str, make: Callable[[], bytes]) -> None:
    sums = Registry().get(competition).checksums
    assert sums is not None
    folder, file = Path(name).parts
    wanted = (sums.public if folder == "public" else sums.private)[file]
    assert hashlib.md5(make(), usedforsecurity=False).hexdigest() == wanted
