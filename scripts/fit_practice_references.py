"""Fit the reference models of the practice competitions and write their leaderboards.

    python scripts/fit_practice_references.py            # write leaderboard.toml and leaderboard.csv of each
    python scripts/fit_practice_references.py --check    # compare with the files, change nothing; exit 1 on a difference

No Kaggle leaderboard stands behind a practice competition. Its "teams" are the models below: ordinary scikit-learn
models with stated settings, each fitted once on the public training data and scored once on the answers by
mlebench's own grading. None was chosen or tuned by its score. Medals follow Kaggle's rule for that many teams.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import statistics
import sys
import tempfile
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from PIL import Image
from practice_reference_models import Models, classifiers, regressors

from mlebench.competition import Competition, load_competition
from mlebench.content import content_dir
from mlebench.data.paths import PreparedPaths
from mlebench.grading.grade import Grader
from mlebench.grading.leaderboard import SCORE_DECIMALS, medal_positions

DATE = "2026-11-21"
"""Day the committed figures were computed; change it together with them."""

Features = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Training features, training targets, test features."""


def digit_pixels(public: Path) -> Features:
    """The 64 grey values of each picture."""
    train, sample = pd.read_csv(public / "train.csv"), pd.read_csv(public / "sample_submission.csv")

    def pixels(folder: str, ids: pd.Series) -> np.ndarray:
        return np.stack([np.asarray(Image.open(public / folder / f"{i}.png"), float).ravel() for i in ids])

    return pixels("train", train["id"]), train["label"].to_numpy(), pixels("test", sample["id"])


def table_columns(target: str) -> Callable[[Path], Features]:
    """Every column but the id, as it is."""

    def read(public: Path) -> Features:
        train, test = pd.read_csv(public / "train.csv"), pd.read_csv(public / "test.csv")
        return (
            train.drop(columns=["id", target]).to_numpy(float),
            train[target].to_numpy(),
            test.drop(columns="id").to_numpy(float),
        )

    return read


def labels(model: Any, features: np.ndarray) -> np.ndarray:
    """What the model predicts."""
    return model.predict(features)


def positive_scores(model: Any, features: np.ndarray) -> np.ndarray:
    """The positive class's probability; a decision value is squeezed into (0, 1), which keeps the order."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(features)[:, 1]
    margin = model.decision_function(features)
    return 0.5 + np.arctan(margin) / np.pi


SETUPS: dict[str, tuple[Models, Callable[[Path], Features], Callable[[Any, np.ndarray], np.ndarray]]] = {
    "practice-digits": (classifiers(), digit_pixels, labels),
    "practice-breast-cancer": (classifiers(), table_columns("malignant"), positive_scores),
    "practice-diabetes": (regressors(), table_columns("progression"), labels),
}


def scratch_copy(folder: Path, home: Path) -> Competition:
    """The competition with an empty leaderboard, since grading asks for one and this script is what makes it."""
    copy = home / "competition" / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("leaderboard.*", "__pycache__"))
    (copy / "leaderboard.toml").write_text(
        "gold = 0\nsilver = 0\nbronze = 0\nmedian = 0\nsource = ''\ndate = ''\nhigher_is_better = "
        + str(load_competition(copy).metric.higher_is_better).lower()
    )
    return load_competition(copy)


def prepare(competition: Competition, home: Path) -> PreparedPaths:
    """Make and prepare the bundled data in a folder of its own."""
    paths = PreparedPaths(home, home / "prepared")
    for folder in (paths.raw, paths.public, paths.private):
        folder.mkdir(parents=True)
    competition.make_raw(paths.raw)
    competition.prepare(paths.raw, paths.public, paths.private)
    return paths


def reference_scores(competition: Competition, paths: PreparedPaths) -> list[tuple[str, float]]:
    """Fit and score every reference model; best first, equal scores by name."""
    models, read, predict = SETUPS[competition.id]
    train, targets, test = read(paths.public)
    sample = pd.read_csv(paths.public / "sample_submission.csv")
    target = competition.submission.columns[0].names[0]
    grader = Grader(competition, paths)
    file = paths.home / "submission.csv"
    scores = []
    for name, model in models.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model that did not converge is an honest weak team
            predictions = predict(model.fit(train, targets), test)
        sample.assign(**{target: predictions}).to_csv(file, index=False)
        scores.append((name, round(grader.score(file)[0], SCORE_DECIMALS)))
    sign = -1 if competition.metric.higher_is_better else 1
    return sorted(scores, key=lambda item: (sign * item[1], item[0]))


def leaderboard_files(competition: Competition, scores: list[tuple[str, float]]) -> dict[str, str]:
    """The text of leaderboard.toml and leaderboard.csv."""
    values = [score for _, score in scores]
    medals = "".join(f"{medal} = {values[place - 1]}\n" for medal, place in medal_positions(len(values)).items())
    toml = f"""# Written by scripts/fit_practice_references.py; do not edit.
higher_is_better = {str(competition.metric.higher_is_better).lower()}
teams = {len(values)}
{medals}median = {round(statistics.median(values), SCORE_DECIMALS)}
source = "Not Kaggle: the scores of {len(values)} reference models (scikit-learn {sklearn.__version__}, stated settings, \
none tuned on the answers), fitted on the public training data by scripts/fit_practice_references.py."
date = "{DATE}"
note = "The models and their scores are listed in leaderboard.csv."
"""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["rank", "score", "model"])
    writer.writerows((rank, score, name) for rank, (name, score) in enumerate(scores, start=1))
    return {"leaderboard.toml": toml, "leaderboard.csv": table.getvalue()}


def differences(folder: Path, files: dict[str, str], tolerance: float) -> list[str]:
    """Figures that differ from the committed ones by more than the tolerance, as sentences."""
    fresh, stored = tomllib.loads(files["leaderboard.toml"]), tomllib.loads((folder / "leaderboard.toml").read_text())
    fresh_scores = {row["model"]: row["score"] for row in csv.DictReader(io.StringIO(files["leaderboard.csv"]))}
    with (folder / "leaderboard.csv").open(newline="") as file:
        stored_scores = {row["model"]: row["score"] for row in csv.DictReader(file)}
    pairs = [(key, fresh[key], stored[key]) for key in ("teams", "gold", "silver", "bronze", "median")]
    pairs += [(name, fresh_scores.get(name), stored_scores.get(name)) for name in {**fresh_scores, **stored_scores}]
    return [
        f"{folder.name}: {name} is {new} here, {old} in the files"
        for name, new, old in pairs
        if new is None or old is None or abs(float(new) - float(old)) > tolerance * abs(float(old))
    ]


def main() -> int:
    """Write or check the leaderboards of all practice competitions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files and change nothing")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.01,
        help="share by which a figure may differ in --check (another machine's arithmetic flips single predictions)",
    )
    options = parser.parse_args()
    problems: list[str] = []
    for competition_id in SETUPS:
        folder = content_dir("competitions") / competition_id
        with tempfile.TemporaryDirectory() as home:
            competition = scratch_copy(folder, Path(home))
            scores = reference_scores(competition, prepare(competition, Path(home) / "data"))
        files = leaderboard_files(competition, scores)
        if options.check:
            problems += differences(folder, files, options.tolerance)
        else:
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
        print(f"{competition_id}: {len(scores)} models, best {scores[0]}, last {scores[-1]}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
