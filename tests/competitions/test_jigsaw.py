"""Both Jigsaw competitions: recipe and grader against the published procedure, step by step, quirks included."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mlebench.errors import InvalidSubmissionError, Reason

TOXIC = "jigsaw-toxic-comment-classification-challenge"
BIAS = "jigsaw-unintended-bias-in-toxicity-classification"
LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
IDENTITIES = ["male", "female", "homosexual_gay_or_lesbian", "christian", "jewish", "muslim", "black", "white"]
IDENTITIES += ["psychiatric_or_mental_illness"]


class TestToxicComments:
    @staticmethod
    def naive(submission: Path, answers: Path) -> float:
        """Both by id in ascending order, rows with a negative sum left out, all columns by their place."""
        given = pd.read_csv(submission).set_index("id").sort_index(kind="stable")
        truth = pd.read_csv(answers).set_index("id").sort_index()
        assert len(given) == len(truth)
        scored = truth.sum(axis=1) >= 0
        assert given.index.isin(truth.index).all()
        given = given[scored.reindex(given.index).to_numpy()]
        return roc_auc_score(truth[scored].to_numpy(), given.to_numpy(), average="macro")

    @pytest.fixture
    def random(self, made) -> pd.DataFrame:
        ids = pd.read_csv(made(TOXIC).paths.private / "test.csv")["id"]
        rng = np.random.default_rng(0)
        values = np.round(rng.normal(0.5, 1, (len(ids), len(LABELS))), 1)
        return pd.DataFrame(values, columns=LABELS).assign(id=ids).sample(frac=1, random_state=0)

    def equal(self, made, table: pd.DataFrame, folder: Path) -> None:
        score = made(TOXIC).score(table, folder)
        wanted = self.naive(folder / "submission.csv", made(TOXIC).paths.private / "test.csv")
        assert math.isclose(score, wanted, abs_tol=1e-12)

    @pytest.mark.parametrize("order", [["id", *LABELS], [*LABELS, "id"], ["obscene", "id", *LABELS[:2], *LABELS[3:]]])
    def test_columns_are_taken_by_their_place(self, made, random, tmp_path: Path, order: list[str]) -> None:
        self.equal(made, random[order], tmp_path)

    def test_an_id_that_stands_in_for_another(self, made, random, tmp_path: Path) -> None:
        it = made(TOXIC)
        truth = pd.read_csv(it.paths.private / "test.csv").set_index("id")[LABELS].sum(axis=1)
        table = random.reset_index(drop=True)[["id", *LABELS]]
        scored = truth[table["id"]].to_numpy() >= 0
        (a, b), (c, d) = np.flatnonzero(scored)[:2], np.flatnonzero(~scored)[:2]
        for lost, twice in ((a, b), (c, d)):
            broken = table.copy()
            broken.loc[lost] = broken.loc[twice]
            self.equal(made, broken, tmp_path)
        for lost, twice in ((a, c), (c, a)):
            broken = table.copy()
            broken.loc[lost, "id"] = broken.loc[twice, "id"]
            with pytest.raises(InvalidSubmissionError) as caught:
                it.score(broken, tmp_path)
            assert caught.value.reason is Reason.DUPLICATE_IDS

    @pytest.mark.parametrize("reason", ["unknown_ids", "extra_columns", "missing_values", "row_count"])
    def test_what_crashed_is_invalid(self, made, random, tmp_path: Path, reason: str) -> None:
        table = random.reset_index(drop=True)[["id", *LABELS]]
        if reason == "unknown_ids":
            table.loc[0, "id"] = "0123456789abcdef"
        elif reason == "extra_columns":
            table["remark"] = 1
        elif reason == "missing_values":
            table.loc[3, "threat"] = np.nan
        else:
            table = table.iloc[1:]
        with pytest.raises(InvalidSubmissionError) as caught:
            made(TOXIC).score(table, tmp_path)
        assert caught.value.reason.value == reason

    def test_the_recipe(self, made) -> None:
        it = made(TOXIC)
        raw = {path.name.removesuffix(".zip"): pd.read_csv(path) for path in it.paths.raw.iterdir()}
        half = raw["sample_submission.csv"].assign(**dict.fromkeys(LABELS, 0.5))
        assert (it.paths.public / "train.csv").read_text() == raw["train.csv"].to_csv(index=False)
        assert (it.paths.public / "test.csv").read_text() == raw["test.csv"].to_csv(index=False)
        assert (it.paths.private / "test.csv").read_text() == raw["test_labels.csv"].to_csv(index=False)
        assert (it.paths.public / "sample_submission.csv").read_text() == half.to_csv(index=False)
        assert len(list(it.paths.public.iterdir())) == 3
        assert "-1" in (it.paths.private / "test.csv").read_text()
        with zipfile.ZipFile(it.paths.raw / "train.csv.zip") as opened:
            assert opened.namelist() == ["train.csv"]


class TestUnintendedBias:
    @staticmethod
    def naive(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
        """Cut everything at 0.5, then area by area over the rows whose ids belong to it."""
        given = submission.rename(columns={"prediction": "toxicity"}).sort_values("id")
        truth = answers.sort_values("id")
        assert (given["id"].to_numpy() == truth["id"].to_numpy()).all()
        given = given.assign(toxicity=np.where(given["toxicity"] >= 0.5, 1, 0))
        truth = truth.assign(**{name: np.where(truth[name] >= 0.5, 1, 0) for name in ["toxicity", *IDENTITIES]})

        def area(rows: pd.DataFrame) -> float:
            return roc_auc_score(rows["toxicity"], given[given["id"].isin(rows["id"])]["toxicity"])

        kinds = []
        for kind in range(3):
            areas = []
            for name in IDENTITIES:
                inside, outside = truth[truth[name] == 1], truth[truth[name] == 0]
                if kind == 1:
                    rows = pd.concat([inside[inside["toxicity"] == 0], outside[outside["toxicity"] == 1]])
                elif kind == 2:
                    rows = pd.concat([inside[inside["toxicity"] == 1], outside[outside["toxicity"] == 0]])
                else:
                    rows = inside
                areas.append(area(rows.sort_values("id")))
            kinds.append((sum(value**-5 for value in areas) / len(areas)) ** (-1 / 5))
        return 0.25 * (area(truth) + sum(kinds))

    @pytest.mark.parametrize("seed", range(3))
    def test_random_submissions(self, made, tmp_path: Path, seed: int) -> None:
        it, rng = made(BIAS), np.random.default_rng(seed)
        answers = pd.read_csv(it.paths.private / "test.csv")
        guess = answers["toxicity"] + rng.normal(0, 0.4, len(answers))
        guess[rng.random(len(answers)) < 0.05] = np.nan  # counts as 0
        guess[:2] = [np.inf, -np.inf]
        name = "toxicity" if seed == 1 else "prediction"
        table = pd.DataFrame({name: guess, "id": answers["id"]}).sample(frac=1, random_state=seed)
        assert math.isclose(it.score(table, tmp_path), self.naive(table, answers), rel_tol=1e-12)

    def test_an_area_of_zero_makes_the_mean_zero(self, made, tmp_path: Path) -> None:
        it = made(BIAS)
        answers = pd.read_csv(it.paths.private / "test.csv")
        table = answers[["id"]].assign(prediction=1 - answers["toxicity"].round())
        assert it.score(table, tmp_path) == 0.0

    def test_a_ranking_below_the_cut_is_worth_nothing(self, made, tmp_path: Path) -> None:
        it = made(BIAS)
        answers = pd.read_csv(it.paths.private / "test.csv")
        assert it.score(answers[["id"]].assign(prediction=answers["toxicity"] / 3), tmp_path) == pytest.approx(0.5)

    def test_the_recipe(self, made) -> None:
        it = made(BIAS)
        assert (it.paths.public / "train.csv").read_bytes() == (it.paths.raw / "train.csv").read_bytes()
        raw = it.paths.raw / "test_private_expanded.csv"
        assert (it.paths.private / "test.csv").read_bytes() == raw.read_bytes()
        test = pd.read_csv(raw)
        assert len(test.columns) == 45
        assert (it.paths.public / "test.csv").read_text() == test[["id", "comment_text"]].to_csv(index=False)
        sample = test[["id"]].assign(prediction=0.0)
        assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)
        assert len(list(it.paths.public.iterdir())) == 3
