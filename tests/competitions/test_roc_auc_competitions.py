"""Random Acts of Pizza, Insults, Aerial Cactus: recipe and grader against the plain procedure, step by step."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from mlebench.errors import DataError, InvalidSubmissionError, Reason

PIZZA = "random-acts-of-pizza"
INSULTS = "detecting-insults-in-social-commentary"
CACTUS = "aerial-cactus-identification"
KEYS = {
    PIZZA: ("request_id", "requester_received_pizza"),
    INSULTS: ("Comment", "Insult"),
    CACTUS: ("id", "has_cactus"),
}


def naive_score(submission: Path, answers: Path, key: str, target: str) -> float:
    """Read both, sort both by the key, compare the keys, area under the ROC curve."""
    given, truth = pd.read_csv(submission), pd.read_csv(answers)
    assert len(given) == len(truth)
    assert pd.to_numeric(given[target]).between(0, 1).all()
    given, truth = given.sort_values(key), truth.sort_values(key)
    assert (given[key].to_numpy() == truth[key].to_numpy()).all()
    return roc_auc_score(truth[target], given[target])


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("seed", range(4))
def test_random_submissions_score_as_the_plain_procedure_does(made, tmp_path: Path, name: str, seed: int) -> None:
    it, (key, target) = made(name), KEYS[name]
    rng = np.random.default_rng(seed)
    truth = pd.read_csv(it.paths.private / "test.csv")
    # Odd seeds round to one decimal, which makes many ties.
    values = np.round(rng.random(len(truth)), 1 if seed % 2 else 15)
    table = pd.DataFrame({"remark": "x", target: values, key: truth[key]}).sample(frac=1, random_state=seed)
    score = it.score(table, tmp_path)
    assert math.isclose(
        score, naive_score(tmp_path / "submission.csv", it.paths.private / "test.csv", key, target), abs_tol=1e-12
    )


class TestPizza:
    def test_the_recipe(self, made, tmp_path: Path) -> None:
        it = made(PIZZA)
        records = json.loads((it.paths.raw / "train.json").read_text())
        kaggle = json.loads((it.paths.raw / "test.json").read_text())
        share = len(kaggle) / (len(records) + len(kaggle))
        train, test = train_test_split(records, test_size=share, random_state=0)
        shown = [{field: record[field] for field in kaggle[0]} for record in test]
        for stem, part in (("train", train), ("test", shown)):
            with (tmp_path / stem).open("w") as file:
                json.dump(part, file, indent=4)
            assert (it.paths.public / f"{stem}.json").read_bytes() == (tmp_path / stem).read_bytes()
            with zipfile.ZipFile(it.paths.public / f"{stem}.zip") as opened:
                assert opened.namelist() == [f"{stem}.json"]
                assert opened.read(f"{stem}.json") == (tmp_path / stem).read_bytes()
        header = "request_id,requester_received_pizza\n"
        answers = "".join(f"{r['request_id']},{int(r['requester_received_pizza'])}\n" for r in test)
        zeros = "".join(f"{r['request_id']},0\n" for r in test)
        assert (it.paths.private / "test.csv").read_text() == header + answers
        assert (it.paths.public / "sampleSubmission.csv").read_text() == header + zeros

    def test_only_fields_of_the_posting_are_shown(self, made) -> None:
        fields = json.loads((made(PIZZA).paths.public / "test.json").read_text())[0].keys()
        assert not fields & {"requester_received_pizza", "requester_user_flair", "request_text"}
        assert not [field for field in fields if field.endswith("_at_retrieval")]

    def test_truth_values_count_as_numbers(self, made, tmp_path: Path) -> None:
        it = made(PIZZA)
        truth = pd.read_csv(it.paths.private / "test.csv")
        guesses = truth["requester_received_pizza"].astype(bool).to_numpy().copy()
        guesses[:5] = ~guesses[:5]
        wanted = roc_auc_score(truth["requester_received_pizza"], guesses)
        assert math.isclose(it.score(truth.assign(requester_received_pizza=guesses), tmp_path), wanted, abs_tol=1e-12)

    def test_records_of_unequal_fields_are_refused(self, made, tmp_path: Path) -> None:
        (tmp_path / "train.json").write_text('[{"request_id": "t3_a"}, {"request_title": "b"}]')
        (tmp_path / "test.json").write_text('[{"request_id": "t3_c"}]')
        with pytest.raises(DataError, match="same fields"):
            made(PIZZA, tmp_path)


class TestInsults:
    def test_the_recipe(self, made) -> None:
        it = made(INSULTS)
        assert (it.paths.public / "train.csv").read_bytes() == (it.paths.raw / "train.csv").read_bytes()
        assert (it.paths.private / "test.csv").read_bytes() == (it.paths.raw / "test_with_solutions.csv").read_bytes()
        gold = pd.read_csv(it.paths.raw / "test_with_solutions.csv")[["Insult", "Date", "Comment"]]
        assert gold["Date"].isna().any()
        assert (it.paths.private / "gold_submission.csv").read_text() == gold.to_csv(index=False)
        assert (it.paths.public / "test.csv").read_text() == gold.drop(columns="Insult").to_csv(index=False)
        gold["Insult"] = 0
        assert (it.paths.public / "sample_submission_null.csv").read_text() == gold.to_csv(index=False)
        assert sorted(path.name for path in it.paths.public.iterdir()) == [
            "sample_submission_null.csv",
            "test.csv",
            "train.csv",
        ]

    @pytest.fixture
    def repeated(self, made, tmp_path: Path):
        """Prepared data in which one comment occurs three times, with different labels."""
        texts = ['"a, b"', '"twice"', '"c\\n"', '"twice"', '"d ""x"""', '"twice"', '"e\\xa0"']
        truth = pd.DataFrame({"Insult": [0, 1, 0, 0, 1, 1, 0], "Date": [None] * 7, "Comment": texts, "Usage": "x"})
        truth.to_csv(tmp_path / "test_with_solutions.csv", index=False)
        pd.DataFrame({"Insult": [0], "Date": [None], "Comment": ['"z"']}).to_csv(tmp_path / "train.csv", index=False)
        return made(INSULTS, tmp_path)

    def test_repeated_comments_in_the_order_of_the_test_set(self, repeated, tmp_path: Path) -> None:
        values = [0.1, 0.9, 0.3, 0.2, 0.4, 0.35, 0.8]
        answers = repeated.paths.private / "test.csv"
        score = repeated.score(pd.read_csv(answers).assign(Insult=values), tmp_path)
        assert math.isclose(score, naive_score(tmp_path / "submission.csv", answers, "Comment", "Insult"))
        assert math.isclose(score, roc_auc_score(pd.read_csv(answers)["Insult"], values))

    def test_one_repetition_too_few_is_invalid(self, repeated, tmp_path: Path) -> None:
        table = pd.read_csv(repeated.paths.private / "test.csv")
        table.loc[1, "Comment"] = table.loc[0, "Comment"]
        with pytest.raises(InvalidSubmissionError) as caught:
            repeated.score(table, tmp_path)
        assert caught.value.reason in (Reason.UNKNOWN_IDS, Reason.DUPLICATE_IDS, Reason.MISSING_IDS)

    def test_test_comments_with_a_public_label_are_refused(self, made, tmp_path: Path) -> None:
        frame = pd.DataFrame({"Insult": [0, 1], "Date": [None] * 2, "Comment": ['"a"', '"b"'], "Usage": "x"})
        frame.to_csv(tmp_path / "test_with_solutions.csv", index=False)
        frame.drop(columns="Usage").to_csv(tmp_path / "train.csv", index=False)
        with pytest.raises(DataError, match=r"stand in train\.csv"):
            made(INSULTS, tmp_path)


def test_the_recipe_of_aerial_cactus(made) -> None:
    it = made(CACTUS)
    train, test = train_test_split(pd.read_csv(it.paths.raw / "train.csv"), test_size=0.19, random_state=0)
    assert (it.paths.public / "train.csv").read_text() == train.to_csv(index=False)
    assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
    assert (it.paths.public / "sample_submission.csv").read_text() == test.assign(has_cactus=0.5).to_csv(index=False)
    with zipfile.ZipFile(it.paths.raw / "train.zip") as source:
        for name, part in (("train", train), ("test", test)):
            with zipfile.ZipFile(it.paths.public / f"{name}.zip") as opened:
                assert opened.namelist() == sorted(part["id"])
                assert all(opened.read(image) == source.read(f"train/{image}") for image in part["id"])
    assert sorted(path.name for path in it.paths.public.iterdir()) == [
        "sample_submission.csv",
        "test.zip",
        "train.csv",
        "train.zip",
    ]
