"""The practice competitions hold scikit-learn's data unaltered, and their medals follow from their rank tables."""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from mlebench.competition import Competition
from mlebench.content import content_dir
from mlebench.data.paths import PreparedPaths
from mlebench.grading.leaderboard import load_leaderboard, medal_positions
from mlebench.registry import Registry

IDS = Registry().split("practice")


def prepared(competition_id: str, home: Path) -> tuple[Competition, PreparedPaths]:
    competition = Registry().get(competition_id)
    paths = PreparedPaths(home, home / "prepared")
    for folder in (paths.raw, paths.public, paths.private):
        folder.mkdir(parents=True)
    competition.make_raw(paths.raw)
    competition.prepare(paths.raw, paths.public, paths.private)
    return competition, paths


def test_there_are_three() -> None:
    assert IDS == ["practice-breast-cancer", "practice-diabetes", "practice-digits"]


@pytest.mark.parametrize("competition_id", IDS)
def test_ids_count_on_from_train_to_test(competition_id: str, tmp_path: Path) -> None:
    _, paths = prepared(competition_id, tmp_path)
    train, answers = pd.read_csv(paths.public / "train.csv"), pd.read_csv(paths.private / "test.csv")
    sample = pd.read_csv(paths.public / "sample_submission.csv")
    assert [*train["id"], *answers["id"]] == list(range(1, len(train) + len(answers) + 1))
    assert list(sample["id"]) == list(answers["id"])
    assert len(answers) == -(-3 * (len(train) + len(answers)) // 10)


def test_digits_are_exact(tmp_path: Path) -> None:
    _, paths = prepared("practice-digits", tmp_path)
    labels = pd.concat([pd.read_csv(paths.public / "train.csv"), pd.read_csv(paths.private / "test.csv")])
    pictures = {}
    for path in paths.public.glob("*/*.png"):
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("L", (8, 8))
            pictures[int(path.stem)] = np.asarray(image)
    assert len(pictures) == 1797
    ours = sorted((pictures[i].tobytes(), int(label)) for i, label in zip(labels["id"], labels["label"], strict=True))
    source = load_digits()
    theirs = sorted(
        ((15 * ink).astype(np.uint8).tobytes(), int(label))
        for ink, label in zip(source.images, source.target, strict=True)
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("competition_id", "target", "source"),
    [
        ("practice-breast-cancer", "malignant", load_breast_cancer()),
        ("practice-diabetes", "progression", load_diabetes(scaled=False)),
    ],
)
def test_tables_are_exact(competition_id: str, target: str, source, tmp_path: Path) -> None:
    _, paths = prepared(competition_id, tmp_path)
    test = pd.read_csv(paths.public / "test.csv").merge(pd.read_csv(paths.private / "test.csv"), on="id")
    ours = pd.concat([pd.read_csv(paths.public / "train.csv"), test]).drop(columns="id").to_numpy(float)
    truth = 1 - source.target if target == "malignant" else source.target
    theirs = np.column_stack([source.data, truth])
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


@pytest.mark.parametrize("competition_id", IDS)
def test_medals_follow_from_the_rank_table(competition_id: str) -> None:
    competition = Registry().get(competition_id)
    board = load_leaderboard(competition.folder, competition.metric.higher_is_better)
    with (competition.folder / "leaderboard.csv").open(newline="") as file:
        scores = [float(row["score"]) for row in csv.DictReader(file)]
    assert board.teams == len(scores) >= 30
    assert scores == sorted(scores, reverse=board.higher_is_better)
    thresholds = [scores[place - 1] for place in medal_positions(len(scores)).values()]
    assert [board.gold, board.silver, board.bronze] == thresholds
    assert board.median == round(statistics.median(scores), 5)
    assert "Not Kaggle" in board.source


@pytest.mark.slow
def test_reference_models_give_the_committed_figures() -> None:
    script = content_dir("competitions").parent / "scripts" / "fit_practice_references.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True, capture_output=True)
