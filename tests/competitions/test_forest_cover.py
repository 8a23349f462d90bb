"""Tabular Playground December 2021: the recipe and the score as published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

ID = "tabular-playground-series-dec-2021"


def test_recipe_as_published(made) -> None:
    paths = made(ID).paths
    train, test = train_test_split(pd.read_csv(paths.raw / "train.csv"), test_size=0.1, random_state=0)
    assert (paths.public / "train.csv").read_text() == train.to_csv(index=False)
    assert (paths.private / "test.csv").read_text() == test.to_csv(index=False)
    assert (paths.public / "test.csv").read_text() == test.drop(columns="Cover_Type").to_csv(index=False)
    sample = ["Id,Cover_Type", *(f"{key},2" for key in test["Id"])]
    assert (paths.public / "sample_submission.csv").read_text().splitlines() == sample


def test_scores_as_published(made, tmp_path: Path) -> None:
    it = made(ID)
    answers = pd.read_csv(it.paths.private / "test.csv").sort_values("Id")
    guess = np.random.default_rng(0).integers(0, 9, len(answers))
    submission = answers[["Id"]].assign(Cover_Type=guess.astype(float)).sample(frac=1, random_state=0)
    assert it.score(submission, tmp_path) == accuracy_score(answers["Cover_Type"], guess)


def test_made_up_classes_are_as_unequal_as_the_real_ones(made) -> None:
    classes = pd.read_csv(made(ID).paths.raw / "train.csv")["Cover_Type"].value_counts()
    assert sorted(classes.index) == [1, 2, 3, 4, 5, 6, 7]
    assert classes[5] == 1
    assert set(classes.index[:2]) == {1, 2}
