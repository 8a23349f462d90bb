"""Tweet spans and text normalization: recipes and graders against the published procedures, spelled out."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

TWEETS = "tweet-sentiment-extraction"
TOKENS = {
    "en": "text-normalization-challenge-english-language",
    "ru": "text-normalization-challenge-russian-language",
}
WORDS = ["good", "Good", "bad,", "a", "the", "NA", "null", "", " ", "5", "great day", '"quoted"', "naïve  café\t!"]


def published_jaccard(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    one, two = submission.sort_values("textID"), answers.sort_values("textID")
    scores = []
    for guess, truth in zip(one["selected_text"].fillna(""), two["selected_text"].fillna(""), strict=True):
        a, b = set(str(truth).lower().split()), set(str(guess).lower().split())
        scores.append(len(a & b) / (len(a) + len(b) - len(a & b)))
    return float(np.mean(scores))


@pytest.mark.parametrize("seed", range(3))
def test_tweets_score_as_published(made, tmp_path: Path, seed: int) -> None:
    it = made(TWEETS)
    rng = np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "test.csv")
    guesses = [
        " ".join(rng.choice(WORDS, rng.integers(0, 4))) if rng.random() < 0.6 else text
        for text in answers["selected_text"]
    ]
    submission = answers[["textID"]].assign(selected_text=guesses).sample(frac=1, random_state=seed)
    ours = it.score(submission, tmp_path)
    as_read = pd.read_csv(tmp_path / "submission.csv")
    assert ours == pytest.approx(published_jaccard(as_read, answers), abs=1e-12)


def test_tweets_recipe_as_published(made) -> None:
    it = made(TWEETS)
    train, test = train_test_split(pd.read_csv(it.paths.raw / "train.csv"), test_size=0.1, random_state=0)
    assert (it.paths.public / "train.csv").read_text() == train.to_csv(index=False)
    assert (it.paths.private / "test.csv").read_text() == test.to_csv(index=False)
    assert (it.paths.public / "test.csv").read_text() == test.drop(columns="selected_text").to_csv(index=False)
    sample = (it.paths.public / "sample_submission.csv").read_text().splitlines()
    assert sample == ["textID,selected_text", *(f"{key}," for key in test["textID"])]


@pytest.mark.parametrize("language", TOKENS)
@pytest.mark.parametrize("seed", range(2))
def test_tokens_score_as_published(made, tmp_path: Path, language: str, seed: int) -> None:
    it = made(TOKENS[language])
    rng = np.random.default_rng(seed)
    answers = pd.read_csv(it.paths.private / "answers.csv")
    words = ["NA", "null", "", "n a", "five", "Five", "five ", '"', ","]
    wrong = rng.random(len(answers)) < 0.4
    guesses = np.where(wrong, rng.choice(words, len(answers)), answers["after"].fillna("nan"))
    submission = answers[["id"]].assign(after=guesses).sample(frac=1, random_state=seed)
    ours = it.score(submission, tmp_path)
    as_read = pd.read_csv(tmp_path / "submission.csv")
    texts = [table.sort_values("id")["after"].fillna("nan").astype(str) for table in (answers, as_read)]
    assert ours == accuracy_score(*texts)
    assert answers["after"].isna().any()


@pytest.mark.parametrize("language", TOKENS)
def test_tokens_recipe_as_published(made, language: str) -> None:
    it = made(TOKENS[language])
    tokens = pd.read_csv(it.paths.raw / f"{language}_train.csv.zip")
    train_ids, test_ids = train_test_split(tokens["sentence_id"].unique(), test_size=0.1, random_state=0)
    sides = {}
    for name, ids in (("train", train_ids), ("test", test_ids)):
        side = tokens[tokens["sentence_id"].isin(ids)].copy()
        number = {old: new for new, old in enumerate(side["sentence_id"].unique())}
        side["sentence_id"] = side["sentence_id"].map(number)
        sides[name] = side
    test = sides["test"]
    ids = [f"{sentence}_{token}" for sentence, token in zip(test["sentence_id"], test["token_id"], strict=True)]
    sample = text(pd.DataFrame({"id": ids, "after": test["before"].tolist()}))
    assert (it.paths.private / "sample_submission.csv").read_text() == sample
    answers = text(pd.DataFrame({"id": ids, "after": test["after"].tolist()}))
    assert (it.paths.private / "answers.csv").read_text() == answers
    public = {
        f"{language}_train": text(sides["train"]),
        f"{language}_test_2": text(test[["sentence_id", "token_id", "before"]]),
        f"{language}_sample_submission_2": sample,
    }
    assert sorted(path.name for path in it.paths.public.iterdir()) == sorted(f"{name}.csv.zip" for name in public)
    for name, wanted in public.items():
        with zipfile.ZipFile(it.paths.public / f"{name}.csv.zip") as archive:
            assert archive.namelist() == [f"{name}.csv"]
            assert archive.read(f"{name}.csv").decode() == wanted
    assert '0,0,"' in public[f"{language}_train"]
    assert '""""' in public[f"{language}_train"]
    assert ',"",' in public[f"{language}_train"]


def text(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, quotechar='"', quoting=csv.QUOTE_NONNUMERIC)
    return buffer.getvalue()
