"""Recipes over large texts against straightforward loops over their lines."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from mlebench.data.archives import create_zip
from mlebench.registry import Registry


def naive_imputation(lines: list[str]) -> tuple[str, str, str]:
    """Train, answers and test as the fact sheet words it: a coin per line, then a word."""
    rng = np.random.RandomState(0)
    train, answers, test, count = "", '"id","sentence"\n', '"id","sentence"\n', 0
    for line in lines:
        coin = rng.uniform()
        if coin <= 0.01 and len(line.strip().split()) > 2:
            sentence = line.strip().replace('"', '""')
            words = sentence.split()
            gone = rng.randint(1, len(words) - 1)
            answers += f'{count},"{sentence}"\n'
            test += f'{count},"{" ".join(words[:gone] + words[gone + 1 :])}"\n'
            count += 1
        else:
            train += line
    return train, answers, test


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block", [50, 1 << 20])
def test_imputation_equals_a_loop_over_lines(tmp_path: Path, monkeypatch, end: str, block: int) -> None:
    rng = np.random.default_rng(5)
    words = np.array(["a", "é", '"', "of\u00a0it", "x  y", ".", "long-word"], dtype=object)
    lines = [" ".join(words[rng.integers(0, 7, rng.integers(0, 8))]) for _ in range(4000)]
    raw, public, private = (tmp_path / name for name in ("raw", "public", "private"))
    for folder in (raw, public, private):
        folder.mkdir()
    with create_zip(raw / "train_v2.txt.zip", "train_v2.txt") as out:
        out.write(end.join(lines).encode())  # the last line has no end
    competition = Registry().get("billion-word-imputation")
    recipe = competition._module("prepare.py")
    monkeypatch.setattr(recipe, "BLOCK", block)
    recipe.prepare(raw, public, private)
    train, answers, test = naive_imputation([line + "\n" for line in lines[:-1]] + lines[-1:])
    assert zipfile.ZipFile(public / "train_v2.txt.zip").read("train_v2.txt").decode() == train
    assert zipfile.ZipFile(public / "test_v2.txt.zip").read("test_v2.txt").decode() == test
    assert (private / "sample_submission.csv").read_text() == test
    assert (private / "test.csv").read_text() == answers
    assert answers.count("\n") > 20


def prepared(name: str, folder: Path, monkeypatch, **constants: int) -> tuple[Path, Path, Path]:
    """Raw, public and private folders of a made-up competition, prepared with other constants in its recipe."""
    raw, public, private = (folder / part for part in ("raw", "public", "private"))
    for made in (raw, public, private):
        made.mkdir()
    competition = Registry().get(name)
    competition.make_raw(raw)
    recipe = competition._module("prepare.py")
    for constant, value in constants.items():
        monkeypatch.setattr(recipe, constant, value)
    recipe.prepare(raw, public, private)
    return raw, public, private


def test_questions_equal_pandas_writing(tmp_path: Path, monkeypatch) -> None:
    raw, public, private = prepared("tensorflow2-question-answering", tmp_path, monkeypatch)
    train = test = hidden = ""
    for chunk in pd.read_json(raw / "simplified-nq-train.jsonl", orient="records", lines=True, chunksize=1000):
        chunk["example_id"] = chunk["example_id"].astype(str)
        kept, tested = train_test_split(chunk, test_size=0.1, random_state=0)
        names = ["example_id", "question_text", "document_text", "long_answer_candidates"]
        train += kept.to_json(orient="records", lines=True)
        test += tested.to_json(orient="records", lines=True)
        hidden += tested[names].to_json(orient="records", lines=True)
    assert (public / "simplified-nq-train.jsonl").read_text() == train
    assert (public / "simplified-nq-test.jsonl").read_text() == hidden
    assert (private / "test.jsonl").read_text() == test
    gold = pd.read_csv(private / "gold_submission.csv", keep_default_na=False)
    assert gold["example_id"].str.endswith("_short").tolist() == [True, False] * (test.count("\n"))


def test_keywords_equal_one_table_in_memory(tmp_path: Path, monkeypatch) -> None:
    name = "facebook-recruiting-iii-keyword-extraction"
    raw, public, private = prepared(name, tmp_path, monkeypatch, ROWS_AT_ONCE=70)
    whole = pd.read_csv(raw / "Train.zip", dtype={"Id": str, "Tags": str})
    train, test = train_test_split(whole, test_size=0.1, random_state=0)
    assert (public / "train.csv").read_bytes() == train.to_csv(index=False).encode()
    assert (private / "test.csv").read_bytes() == test.to_csv(index=False).encode()
    test = test.drop(columns="Tags")
    assert (public / "test.csv").read_bytes() == test.to_csv(index=False).encode()
    test["Tags"] = "javascript c# python php java"
    assert (public / "sample_submission.csv").read_bytes() == test.to_csv(index=False).encode()
    assert len(list(private.iterdir())) == 1


def test_purchases_equal_one_table_in_memory(tmp_path: Path, monkeypatch) -> None:
    name = "h-and-m-personalized-fashion-recommendations"
    raw, public, private = prepared(name, tmp_path, monkeypatch, ROWS_AT_ONCE=333)
    whole = pd.read_csv(raw / "transactions_train.csv", float_precision="round_trip")
    days = pd.to_datetime(whole["t_dat"])
    later = days >= days.max() - pd.Timedelta(days=7)
    assert (public / "transactions_train.csv").read_bytes() == whole[~later].to_csv(index=False).encode()
    rows = [
        (customer, " ".join(map(str, group["article_id"]))) for customer, group in whole[later].groupby("customer_id")
    ]
    answers = pd.DataFrame(rows, columns=["customer_id", "prediction"])
    assert (private / "answers.csv").read_bytes() == answers.to_csv(index=False).encode()
    assert len(list((public / "images").rglob("*.jpg"))) == 20


def test_notebooks_fill_the_quota_family_by_family(tmp_path: Path, monkeypatch) -> None:
    raw, public, private = prepared("AI4Code", tmp_path, monkeypatch)
    ancestors = pd.read_csv(raw / "train_ancestors.csv").sample(frac=1, random_state=0).reset_index(drop=True)
    quota, families = len(ancestors) * 20_000 // 139_256, {}
    for row in ancestors.itertuples():
        families.setdefault(row.ancestor_id, []).append(row.id)
    test: list[str] = []
    for members in families.values():
        if len(test) + len(members) <= quota:
            test += members
    assert len(test) == quota
    assert sorted(path.stem for path in (public / "test").iterdir()) == sorted(test)
    answers = pd.read_csv(private / "test_orders.csv")
    assert answers["id"].tolist() == sorted(test)
    shown = pd.read_csv(public / "train_ancestors.csv")
    assert shown["id"].tolist() == ancestors.loc[~ancestors["id"].isin(test), "id"].tolist()
    assert not set(shown["ancestor_id"]) & set(ancestors.loc[ancestors["id"].isin(test), "ancestor_id"])
    sample = pd.read_csv(public / "sample_submission.csv")
    listed = json.loads((public / "test" / f"{test[0]}.json").read_text())["cell_type"]
    assert sample.set_index("id").loc[test[0], "cell_order"].split(" ") == list(listed)


@pytest.mark.parametrize("rare", [[1, 2], [0, 1]])
def test_quest_swaps_a_row_only_where_the_test_set_lacks_the_rare_label(tmp_path: Path, rare: list[int]) -> None:
    raw, public, private = (tmp_path / name for name in ("raw", "public", "private"))
    for folder in (raw, public, private):
        folder.mkdir()
    competition = Registry().get("google-quest-challenge")
    competition.make_raw(raw)
    rows = pd.read_csv(raw / "train.csv")
    train, test = train_test_split(rows, test_size=0.1, random_state=0)
    # Positions in drawn order, counted over test then train, of the rows that carry the rare label.
    drawn = [*test.index, *train.index]
    marked = [drawn[len(test) + place] if rare[0] else drawn[place] for place in rare]
    rows["question_type_spelling"] = rows.index.isin(marked).astype(float)
    rows.to_csv(raw / "train.csv", index=False)
    competition.prepare(raw, public, private)
    hidden = pd.read_csv(public / "test.csv")["qa_id"].tolist()
    wanted = rows.loc[test.index, "qa_id"].tolist()
    if rare[0]:
        wanted[0] = rows.loc[marked[0], "qa_id"]
        assert pd.read_csv(public / "train.csv")["qa_id"].iloc[1] == rows.loc[test.index[0], "qa_id"]
    assert hidden == wanted
