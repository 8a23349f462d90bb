"""Tables, sounds and texts split by row: recipe and grader against the plain procedure, step by step."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from mlebench.errors import InvalidSubmissionError

ENZYMES = "playground-series-s3e18"
MACHINE = "tabular-playground-series-may-2022"
TAXI = "new-york-city-taxi-fare-prediction"
PHONEMES = "ml2021spring-hw2"
REVIEWS = "movie-review-sentiment-analysis-kernels-only"
SETI = "seti-breakthrough-listen"
BRAINS = "rsna-miccai-brain-tumor-radiogenomic-classification"


def areas(truth: pd.DataFrame, guess: pd.DataFrame) -> float:
    return roc_auc_score(truth.to_numpy(), guess.to_numpy(), average="macro")


def accuracy(truth: pd.DataFrame, guess: pd.DataFrame) -> float:
    return accuracy_score(truth.to_numpy(), guess.to_numpy())


GRADED = {
    ENZYMES: ("private/test.csv", "id", ["EC1", "EC2"], areas, "real"),
    MACHINE: ("private/test.csv", "id", ["target"], areas, "share"),
    PHONEMES: ("private/answers.csv", "Id", ["ClassId"], accuracy, 39),
    REVIEWS: ("private/answers.csv", "PhraseId", ["Sentiment"], accuracy, 7),
    SETI: ("private/test.csv", "id", ["target"], areas, "share"),
    BRAINS: ("private/test.csv", "BraTS21ID", ["MGMT_value"], areas, "share"),
}


@pytest.mark.parametrize("name", GRADED)
@pytest.mark.parametrize("seed", range(3))
def test_random_submissions_score_as_the_plain_procedure_does(made, tmp_path: Path, name: str, seed: int) -> None:
    file, key, targets, measure, kind = GRADED[name]
    it, rng = made(name), np.random.default_rng(seed)
    truth = pd.read_csv(it.paths.prepared / file)
    shape = (len(truth), len(targets))
    values = rng.integers(0, kind, shape) if isinstance(kind, int) else np.round(rng.random(shape), seed + 1)
    if kind == "real":
        values = 20 * values - 10
    if isinstance(kind, int) and seed == 1:
        values = values.astype(float)  # whole numbers all the same
    # The published reader takes ids of digits for numbers, so leading zeros may be lost.
    table = pd.DataFrame(values, columns=targets).assign(**{key: truth[key]}).sample(frac=1, random_state=seed)
    score = it.score(table, tmp_path)
    given, wanted = table.sort_values(key), truth.sort_values(key)
    assert (given[key].to_numpy() == wanted[key].to_numpy()).all()
    assert math.isclose(score, measure(wanted[targets], given[targets]), abs_tol=1e-12)


def test_enzymes(made) -> None:
    it = made(ENZYMES)
    raw = pd.read_csv(it.paths.raw / "train.csv")
    assert raw.shape[1] == 38
    train, test = train_test_split(raw, test_size=0.1, random_state=0)
    assert (it.paths.public / "train.csv").read_text() == train.to_csv(index=False)
    assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
    shown = test.drop(columns=[f"EC{i}" for i in range(1, 7)])
    assert shown.shape[1] == 32
    assert (it.paths.public / "test.csv").read_text() == shown.to_csv(index=False)
    sample = test[["id", "EC1", "EC2"]].assign(EC1=0.5, EC2=0.5)
    assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)


def test_machine_states(made) -> None:
    it = made(MACHINE)
    raw = pd.read_csv(it.paths.raw / "train.csv")
    assert [*raw] == ["id", *(f"f_{i:02d}" for i in range(31)), "target"]
    assert raw["f_27"].str.fullmatch("[A-Z]{10}").all()
    train, test = train_test_split(raw, test_size=len(raw) // 9, random_state=0)
    train["id"] = range(len(train))
    test["id"] = range(len(train), len(raw))
    assert (it.paths.public / "train.csv").read_text() == train.to_csv(index=False)
    assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
    assert (it.paths.public / "test.csv").read_text() == test.drop(columns="target").to_csv(index=False)
    gold = test[["id", "target"]]
    assert (it.paths.private / "gold_submission.csv").read_text() == gold.to_csv(index=False)
    assert (it.paths.public / "sample_submission.csv").read_text() == gold.assign(target=0.5).to_csv(index=False)


class TestTaxi:
    @staticmethod
    def compare(it, raw: pd.DataFrame, tests: int) -> None:
        train, test = train_test_split(raw, test_size=tests, random_state=0)
        assert (it.paths.public / "labels.csv").read_text() == train.to_csv(index=False)
        assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
        assert (it.paths.public / "test.csv").read_text() == test.drop(columns="fare_amount").to_csv(index=False)
        sample = test[["key"]].assign(fare_amount=11.35)
        assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)
        names = {"labels.csv", "test.csv", "sample_submission.csv", "GCP-Coupons-Instructions.rtf"}
        assert {path.name for path in it.paths.public.iterdir()} == names

    def test_the_recipe(self, made) -> None:
        it = made(TAXI)
        raw = pd.read_csv(it.paths.raw / "train.csv")
        assert raw["dropoff_longitude"].isna().any()
        self.compare(it, raw, len(raw) // 5)

    @pytest.mark.parametrize("end", ["\n", "", "\n\n"])
    def test_numbers_in_other_spellings_and_chunks(self, made, tmp_path: Path, end: str) -> None:
        """Whole numbers in a chunk of their own, long decimals, exponents, an open last line."""
        rng = np.random.default_rng(1)
        rows = [(made(TAXI).paths.raw / "train.csv").read_text().split("\n", 1)[0]]
        for i in range(230):
            fare = (4, 4.5, "1e1", "-2.50")[i % 4]
            start = f"{-73 - rng.random():.17f}" if i > 60 else "-73"
            end_ = "" if i % 7 == 5 else start
            rows.append(f"k{i},{fare},2010-01-01 00:00:00 UTC,{start},40,{end_},0,1")
        (tmp_path / "train.csv").write_text("\n".join(rows) + end)
        (tmp_path / "GCP-Coupons-Instructions.rtf").write_text("x")
        raw = pd.read_csv(tmp_path / "train.csv").astype({"pickup_latitude": float, "dropoff_latitude": float})
        self.compare(made(TAXI, tmp_path), raw, 46)

    @pytest.mark.parametrize("keys", ["shuffled", "others"])
    def test_keys_are_never_compared(self, made, tmp_path: Path, keys: str) -> None:
        it, rng = made(TAXI), np.random.default_rng(0)
        truth = pd.read_csv(it.paths.private / "test.csv")
        table = pd.DataFrame({"key": truth["key"], "fare_amount": rng.normal(11, 9, len(truth))})
        if keys == "others":
            table["key"] = rng.permutation([f"x{i:06d}" for i in range(len(truth))])
        table = table.sample(frac=1, random_state=0)
        given, wanted = table.sort_values("key"), truth.sort_values("key")
        expected = root_mean_squared_error(wanted["fare_amount"], given["fare_amount"])
        assert math.isclose(it.score(table, tmp_path), expected, rel_tol=1e-12)

    def test_rows_too_few_are_invalid(self, made, tmp_path: Path) -> None:
        truth = pd.read_csv(made(TAXI).paths.private / "test.csv")
        with pytest.raises(InvalidSubmissionError):
            made(TAXI).score(truth.iloc[1:], tmp_path)


def test_phonemes(made) -> None:
    it = made(PHONEMES)
    raw, public = (folder / "timit_11" / "timit_11" for folder in (it.paths.raw, it.paths.public))
    frames, labels = np.load(raw / "train_11.npy"), np.load(raw / "train_label_11.npy")
    share = len(np.load(raw / "test_11.npy")) / (len(frames) + len(np.load(raw / "test_11.npy")))
    train, test = train_test_split(list(range(len(frames))), test_size=share, random_state=0)
    for name, wanted in (("train_11", frames[train]), ("train_label_11", labels[train]), ("test_11", frames[test])):
        found = np.load(public / f"{name}.npy")
        assert found.dtype == wanted.dtype
        assert np.array_equal(found, wanted)
    answers = pd.DataFrame({"Id": range(len(test)), "ClassId": labels[test]})
    assert (it.paths.private / "answers.csv").read_text() == answers.to_csv(index=False)
    assert (it.paths.public / "sampleSubmission.csv").read_text() == answers.assign(ClassId=0).to_csv(index=False)
    # The made-up data has the leak that the mended edition is about: windows that continue each other.
    continued = (frames[:-1, 39:] == frames[1:, :-39]).all(axis=1)
    assert 0.9 < continued.mean() < 1.0


def test_reviews(made) -> None:
    it = made(REVIEWS)
    raw = pd.read_csv(it.paths.raw / "train.tsv.zip", sep="\t")
    assert raw["Phrase"].isna().any()  # the phrase "null"
    train, test = train_test_split(raw, test_size=0.3, random_state=0)
    assert (it.paths.private / "answers.csv").read_text() == test.to_csv(index=False)
    for name, part in (("train.tsv", train), ("test.tsv", test.drop(columns="Sentiment"))):
        with zipfile.ZipFile(it.paths.public / f"{name}.zip") as opened:
            assert opened.namelist() == [name]
            assert opened.read(name).decode() == part.to_csv(index=False, sep="\t")
    sample = test[["PhraseId"]].assign(Sentiment=2)
    assert (it.paths.public / "sampleSubmission.csv").read_text() == sample.to_csv(index=False)
    assert len(list(it.paths.public.iterdir())) == 3


def test_spectrograms(made) -> None:
    it = made(SETI)
    train, test = train_test_split(pd.read_csv(it.paths.raw / "train_labels.csv"), test_size=0.1, random_state=0)
    assert (it.paths.public / "train_labels.csv").read_text() == train.to_csv(index=False)
    assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
    assert (it.paths.public / "sample_submission.csv").read_text() == test.assign(target=0.5).to_csv(index=False)
    for name, part in (("train", train), ("test", test)):
        assert len(list((it.paths.public / name).rglob("*.npy"))) == len(part)
        for item in part["id"]:
            place = f"{item[0]}/{item}.npy"
            wanted = (it.paths.raw / "train" / place).read_bytes()
            assert (it.paths.public / name / place).read_bytes() == wanted
    old = sorted(path.relative_to(it.paths.raw) for path in (it.paths.raw / "old_leaky_data").rglob("*.*"))
    assert (
        sorted(path.relative_to(it.paths.public) for path in (it.paths.public / "old_leaky_data").rglob("*.*")) == old
    )


class TestBrains:
    def test_the_recipe(self, made) -> None:
        it = made(BRAINS)
        raw = pd.read_csv(it.paths.raw / "train_labels.csv", dtype={"BraTS21ID": str, "MGMT_value": int})
        assert (raw["BraTS21ID"].str.len() == 5).all()
        train, test = train_test_split(raw, test_size=0.1, random_state=0)
        assert (it.paths.public / "train_labels.csv").read_text() == train.to_csv(index=False)
        assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
        sample = test.assign(MGMT_value=0.5)
        assert (it.paths.public / "sample_submission.csv").read_text() == sample.to_csv(index=False)
        for name, part in (("train", train), ("test", test)):
            assert {path.name for path in (it.paths.public / name).iterdir()} == set(part["BraTS21ID"])
            for patient in part["BraTS21ID"]:
                slices = list((it.paths.raw / "train" / patient).rglob("*.dcm"))
                assert len(slices) >= 4
                for path in slices:
                    shown = it.paths.public / name / path.relative_to(it.paths.raw / "train")
                    assert shown.read_bytes() == path.read_bytes()
        assert not (it.paths.public / "test.csv").exists()

    def test_zeros_may_be_left_out_but_ids_may_not(self, made, tmp_path: Path) -> None:
        it = made(BRAINS)
        truth = pd.read_csv(it.paths.private / "test.csv")
        assert it.score(truth, tmp_path) == 1.0
        with pytest.raises(InvalidSubmissionError):
            it.score(truth.assign(BraTS21ID=truth["BraTS21ID"] + 1), tmp_path)
