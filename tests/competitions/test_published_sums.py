"""Files of the published benchmark that need no real data to be made: their md5 sums tell that splits are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlebench.data.splits import split_frame, split_items, train_test_positions
from mlebench.data.tables import csv_bytes
from mlebench.formats.pixels import pixel_rows
from mlebench.recipes.labelled_images import write_json
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


def animals(private: bool) -> bytes:
    names = sorted(f"{kind}.{number}.jpg" for kind in ("cat", "dog") for number in range(12_500))
    _, test = split_items(names, 0.1)
    labels = [int("dog" in name) for name in test] if private else 0.5
    return csv_bytes(pd.DataFrame({"id": range(1, len(test) + 1), "label": labels}))


def white_pages() -> bytes:
    names = sorted(f"{number}.png" for number in range(1, 217) if number % 3 != 1)
    _, test = split_items(names, 0.2)
    stems = [name.removesuffix(".png") for name in sorted(test)]
    low = sorted(stems, key=int)[:9]  # the first pages of the corpus
    pages = (pixel_rows(stem, np.ones((258 if stem in low else 420, 540), np.uint8)) for stem in stems)
    return b"id,value\n" + b"".join(pages)


def sheets(count: int, guess: int) -> bytes:
    return csv_bytes(pd.DataFrame({"Id": range(count), "Predicted": guess}))


def sheets_of_2022(folder: Path) -> bytes:
    names = [f"{k // 1000:03d}/test-{k:06d}.jpg" for k in range(174_052)]
    images = [{"image_id": str(k), "file_name": name, "license": 0} for k, name in enumerate(names)]
    write_json(images, folder / "test_metadata.json")
    return (folder / "test_metadata.json").read_bytes()


def playground() -> bytes:
    return csv_bytes(pd.DataFrame({"id": range(800_000, 900_000), "target": 0.5}))


def hydrangeas() -> bytes:
    _, test = split_frame(pd.DataFrame({"name": range(1, 2296)}), 0.2)
    return csv_bytes(test.assign(invasive=0.5))


def birds() -> bytes:
    drawn = pd.DataFrame(index=range(322)).sample(frac=0.2, random_state=0).index
    return csv_bytes(pd.DataFrame({"Id": [r * 100 + s for r in sorted(drawn) for s in range(19)], "Probability": 0}))


def leaves(sample: bool) -> bytes:
    table = pd.DataFrame({"image_id": [f"Test_{number}" for number in range(183)]})
    labels = ["healthy", "multiple_diseases", "rust", "scab"]
    return csv_bytes(table.assign(**dict.fromkeys(labels, 0.25)) if sample else table)


def crystals() -> bytes:
    targets = {"formation_energy_ev_natom": 0.1779, "bandgap_energy_ev": 1.8892}
    return csv_bytes(pd.DataFrame({"id": range(1, 241)}).assign(**targets))


def enzymes() -> bytes:
    _, test = split_frame(pd.DataFrame({"id": range(14_838)}), 0.1)
    return csv_bytes(test.assign(EC1=0.5, EC2=0.5))


WORDS = {
    "_background_noise_": 6, "bed": 1713, "bird": 1731, "cat": 1733, "dog": 1746, "down": 2359, "eight": 2352,
    "five": 2357, "four": 2372, "go": 2372, "happy": 1742, "house": 1750, "left": 2353, "marvin": 1746, "nine": 2364,
    "no": 2375, "off": 2357, "on": 2367, "one": 2370, "right": 2367, "seven": 2377, "sheila": 1734, "six": 2369,
    "stop": 2380, "three": 2356, "tree": 1733, "two": 2373, "up": 2375, "wow": 1745, "yes": 2377, "zero": 2376,
}  # fmt: skip
"""Clips of each folder of the speech commands."""


def words(private: bool) -> bytes:
    _, test = split_items([word for word, clips in WORDS.items() for _ in range(clips)], 0.1)
    names = [f"clip_{number:08d}.wav" for number in range(len(test))]
    return csv_bytes(pd.DataFrame({"fname": names, "label": test if private else "silence"}))


def breaths() -> bytes:
    return csv_bytes(pd.DataFrame({"id": range(1, 7_545 * 80 + 1), "pressure": 0}))


def forest() -> bytes:
    _, test = train_test_positions(4_000_000, 0.1)
    return csv_bytes(pd.DataFrame({"Id": test, "Cover_Type": 2}))


def papyrus() -> bytes:
    return csv_bytes(pd.DataFrame({"Id": ["a"], "Predicted": ["1 1 5 1"]}))


@pytest.mark.parametrize(
    ("competition", "name", "make"),
    [
        ("alaska2-image-steganalysis", "private/test.csv", lambda: steganalysis(True)),
        ("alaska2-image-steganalysis", "public/sample_submission.csv", lambda: steganalysis(False)),
        ("movie-review-sentiment-analysis-kernels-only", "public/sampleSubmission.csv", reviews),
        ("ml2021spring-hw2", "public/sampleSubmission.csv", phonemes),
        ("dogs-vs-cats-redux-kernels-edition", "private/answers.csv", lambda: animals(True)),
        ("dogs-vs-cats-redux-kernels-edition", "public/sample_submission.csv", lambda: animals(False)),
        ("denoising-dirty-documents", "public/sampleSubmission.csv", white_pages),
        ("herbarium-2020-fgvc7", "public/sample_submission.csv", lambda: sheets(219_124, 0)),
        ("herbarium-2021-fgvc8", "public/sample_submission.csv", lambda: sheets(477_806, 0)),
        ("herbarium-2022-fgvc9", "public/sample_submission.csv", lambda: sheets(174_052, 42)),
        ("tabular-playground-series-may-2022", "public/sample_submission.csv", playground),
        ("tabular-playground-series-dec-2021", "public/sample_submission.csv", forest),
        ("tensorflow-speech-recognition-challenge", "private/test.csv", lambda: words(True)),
        ("tensorflow-speech-recognition-challenge", "public/sample_submission.csv", lambda: words(False)),
        ("ventilator-pressure-prediction", "public/sample_submission.csv", breaths),
        ("vesuvius-challenge-ink-detection", "public/sample_submission.csv", papyrus),
        ("invasive-species-monitoring", "private/sample_submission.csv", hydrangeas),
        ("mlsp-2013-birds", "public/sample_submission.csv", birds),
        ("plant-pathology-2020-fgvc7", "public/test.csv", lambda: leaves(sample=False)),
        ("plant-pathology-2020-fgvc7", "public/sample_submission.csv", lambda: leaves(sample=True)),
        ("nomad2018-predict-transparent-conductors", "public/sample_submission.csv", crystals),
        ("playground-series-s3e18", "public/sample_submission.csv", enzymes),
    ],
)
def test_the_published_sum(competition: str, name: str, make: Callable[[], bytes]) -> None:
    sums = Registry().get(competition).checksums
    assert sums is not None
    folder, file = Path(name).parts
    wanted = (sums.public if folder == "public" else sums.private)[file]
    assert hashlib.md5(make(), usedforsecurity=False).hexdigest() == wanted


def test_the_published_sum_of_a_list_of_images(tmp_path: Path) -> None:
    sums = Registry().get("herbarium-2022-fgvc9").checksums
    assert sums is not None
    digest = hashlib.md5(sheets_of_2022(tmp_path), usedforsecurity=False).hexdigest()
    assert digest == sums.public["test_metadata.json"]
