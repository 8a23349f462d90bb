"""Graders of image competitions against their plain procedure: read, check, sort both sides by the id, compare."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    f1_score,
    log_loss,
    roc_auc_score,
    root_mean_squared_error,
)
from sklearn.preprocessing import MultiLabelBinarizer

from mlebench.errors import InvalidSubmissionError

Guess = Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame]
Measure = Callable[[pd.DataFrame, pd.DataFrame], float]


def shares(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """Numbers in 0..1 with many ties, for every column but the first."""
    values = np.round(rng.random((len(answers), answers.shape[1] - 1)), 2)
    return pd.DataFrame(values, columns=answers.columns[1:])


def probabilities(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """Rows that add up to 1; some are sure, rightly or wrongly."""
    classes = answers.columns[1:]
    rows = rng.dirichlet(np.full(len(classes), 0.3), len(answers))
    sure = rng.random(len(answers)) < 0.2
    rows[sure] = np.eye(len(classes))[rng.integers(0, len(classes), sure.sum())]
    return pd.DataFrame(rows, columns=classes)


def sure_or_not(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({answers.columns[1]: rng.choice([0.0, 1.0, 1e-17, 0.3, 0.999], len(answers))})


def whole_numbers(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    values = np.where(rng.random(len(answers)) < 0.5, answers.iloc[:, 1], rng.choice([-1, 0, 1, 4, 9], len(answers)))
    return pd.DataFrame({answers.columns[1]: values})


def names(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """True names, names of other rows, unknown ones and empty cells."""
    truth = answers.iloc[:, 1].to_numpy(object)
    others = rng.choice(np.r_[truth, ["no such name", "NA", ""]].astype(object), len(truth))
    return pd.DataFrame({answers.columns[1]: np.where(rng.random(len(truth)) < 0.4, truth, others)})


def label_lists(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    words = ["healthy", "scab", "rust", "complex", "unknown", "rust  rust", "None", " scab ", ""]
    return pd.DataFrame({"labels": [" ".join(rng.choice(words, rng.integers(1, 4))) for _ in range(len(answers))]})


def ranked(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """Up to seven guesses, with repetitions and doubled blanks; some cells are empty."""
    column = "hotel_id" if "hotel_id" in answers else "Id"
    known = np.r_[answers[column].astype(str).unique()[:8], ["", "new_whale", "nan"]]
    cells = [" ".join(rng.choice(known, rng.integers(0, 8))) for _ in range(len(answers))]
    return pd.DataFrame({column: cells})


def popularity(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"Pawpularity": rng.uniform(1, 100, len(answers))})


def by_column(measure: Callable) -> Measure:
    def score(given: pd.DataFrame, truth: pd.DataFrame) -> float:
        columns = [name for name in given.columns[1:] if name in truth]
        return float(np.mean([measure(truth[name], given[name]) for name in columns]))

    return score


def one_hot_log_loss(given: pd.DataFrame, truth: pd.DataFrame) -> float:
    classes = list(truth.columns[1:])
    assert np.isclose(given[classes].sum(axis=1), 1, atol=1e-6).all()
    assert ((given[classes] >= 0) & (given[classes] <= 1)).all(axis=None)
    return log_loss(truth[classes].to_numpy(), given[classes].to_numpy())


def micro_f1(given: pd.DataFrame, truth: pd.DataFrame) -> float:
    classes = sorted({label for cell in truth["labels"] for label in cell.split()})
    lists = MultiLabelBinarizer(classes=classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrices = [lists.fit_transform(t["labels"].fillna("").str.split()) for t in (truth, given)]
    return f1_score(*matrices, average="micro")


def words_equal(given: pd.DataFrame, truth: pd.DataFrame) -> float:
    column = truth.columns[1]
    return accuracy_score(truth[column].tolist(), given[column].fillna("").astype(str).tolist())


def five_guesses(given: pd.DataFrame, truth: pd.DataFrame) -> float:
    column = "hotel_id" if "hotel_id" in truth else "Id"
    total = 0.0
    for cell, right in zip(given[column].tolist(), truth[column].tolist(), strict=True):
        # What the reader leaves of an empty cell becomes the text nan.
        guesses = str(cell).split(" ")[:5]
        total += 1 / (guesses.index(str(right)) + 1) if str(right) in guesses else 0
    return total / len(truth)


GRADERS: dict[str, tuple[Guess, Measure]] = {
    "dog-breed-identification": (probabilities, one_hot_log_loss),
    "dogs-vs-cats-redux-kernels-edition": (sure_or_not, by_column(log_loss)),
    "histopathologic-cancer-detection": (shares, by_column(roc_auc_score)),
    "invasive-species-monitoring": (shares, by_column(roc_auc_score)),
    "plant-pathology-2020-fgvc7": (shares, by_column(roc_auc_score)),
    "plant-pathology-2021-fgvc8": (label_lists, micro_f1),
    "plant-seedlings-classification": (names, words_equal),
    "paddy-disease-classification": (names, words_equal),
    "cassava-leaf-disease-classification": (whole_numbers, by_column(accuracy_score)),
    "aptos2019-blindness-detection": (
        whole_numbers,
        by_column(lambda truth, guess: cohen_kappa_score(guess, truth, weights="quadratic")),
    ),
    "ranzcr-clip-catheter-line-classification": (
        lambda rng, answers: shares(rng, answers[list(answers.columns)[:10]]),
        by_column(roc_auc_score),
    ),
    "siim-isic-melanoma-classification": (shares, by_column(roc_auc_score)),
    "whale-categorization-playground": (ranked, five_guesses),
    "hotel-id-2021-fgvc8": (ranked, five_guesses),
    "petfinder-pawpularity-score": (popularity, by_column(root_mean_squared_error)),
}


def plain_score(made, submission: Path, measure: Measure) -> float:
    key = made.competition.id_columns[0]
    truth = pd.read_csv(made.grader.answers_path)
    given = pd.read_csv(submission)
    assert len(given) == len(truth)
    given, truth = (table.sort_values(key).reset_index(drop=True) for table in (given, truth))
    assert (given[key] == truth[key]).all()
    return float(measure(given, truth))


@pytest.mark.parametrize("competition", GRADERS)
@pytest.mark.parametrize("seed", range(3))
def test_random_submissions_score_as_the_plain_procedure_does(
    made: Callable, tmp_path: Path, competition: str, seed: int
) -> None:
    guess, measure = GRADERS[competition]
    ready = made(competition)
    answers = pd.read_csv(ready.grader.answers_path)
    key = ready.competition.id_columns[0]
    table = guess(np.random.default_rng(seed), answers)
    table.insert(0, key, answers[key].to_numpy())
    if ready.competition.submission.extra_columns == "ignore":
        table["remark"] = "x"
    score = ready.score(table.sample(frac=1, random_state=seed), tmp_path)
    wanted = plain_score(ready, tmp_path / "submission.csv", measure)
    assert math.isclose(score, wanted, rel_tol=1e-9, abs_tol=1e-12)
    assert score not in (0.0, 1.0)


@pytest.mark.parametrize(
    ("competition", "word"), [("plant-pathology-2021-fgvc8", "7"), ("plant-seedlings-classification", "1.5")]
)
def test_a_column_of_numbers_is_no_column_of_names(made: Callable, tmp_path: Path, competition: str, word: str) -> None:
    ready = made(competition)
    table = pd.read_csv(ready.grader.answers_path)
    target = table.columns[1]
    table[target] = word
    with pytest.raises(InvalidSubmissionError, match=r"must hold (texts|names)"):
        ready.score(table, tmp_path)
    table.loc[0, target] = "rust"
    assert 0 <= ready.score(table, tmp_path) < 1


def test_no_label_anywhere_scores_nothing(made: Callable, tmp_path: Path) -> None:
    ready = made("plant-pathology-2021-fgvc8")
    assert ready.score(pd.read_csv(ready.grader.answers_path).assign(labels=""), tmp_path) == 0.0


class TestHotels:
    @pytest.fixture
    def lone(self, made: Callable) -> pd.DataFrame:
        """The right hotel, alone in every cell."""
        return pd.read_csv(made("hotel-id-2021-fgvc8").grader.answers_path)[["image", "hotel_id"]].astype(str)

    def score(self, made: Callable, table: pd.DataFrame, folder: Path) -> float:
        ready = made("hotel-id-2021-fgvc8")
        score = ready.score(table, folder)
        assert math.isclose(score, plain_score(ready, folder / "submission.csv", five_guesses), abs_tol=1e-12)
        return score

    def test_lone_numbers(self, made: Callable, lone: pd.DataFrame, tmp_path: Path) -> None:
        assert self.score(made, lone, tmp_path) == 1.0

    def test_lone_numbers_lose_leading_zeros_and_blanks(
        self, made: Callable, lone: pd.DataFrame, tmp_path: Path
    ) -> None:
        assert self.score(made, lone.assign(hotel_id=" 00" + lone["hotel_id"]), tmp_path) == 1.0
        lone["hotel_id"] = "00" + lone["hotel_id"]
        lone.loc[0, "hotel_id"] = "no such hotel"
        assert self.score(made, lone, tmp_path) == 0.0

    @pytest.mark.parametrize("empty", ["", "NA"])
    def test_an_empty_cell_makes_fractions_of_lone_numbers(
        self, made: Callable, lone: pd.DataFrame, tmp_path: Path, empty: str
    ) -> None:
        lone.loc[3, "hotel_id"] = empty
        assert self.score(made, lone, tmp_path) == 0.0

    def test_an_empty_cell_among_lists_costs_its_row_only(
        self, made: Callable, lone: pd.DataFrame, tmp_path: Path
    ) -> None:
        lone["hotel_id"] += " 1"
        lone.loc[3, "hotel_id"] = ""
        assert math.isclose(self.score(made, lone, tmp_path), 1 - 1 / len(lone))
