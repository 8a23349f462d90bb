"""Graders of text, ranking and agreement competitions against straightforward versions of the published procedures.

The naive side reads the same CSV files with the published reader's defaults and follows the fact sheets' words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import cohen_kappa_score, f1_score, jaccard_score, log_loss
from sklearn.preprocessing import MultiLabelBinarizer

from mlebench.conformance.contract import Contract
from mlebench.errors import InvalidSubmissionError
from mlebench.registry import Registry

WORDS = ["a", "B", "null", "naïve", "x.", "[]"]


@pytest.fixture(scope="module")
def contract(tmp_path_factory) -> Callable[[str], Contract]:
    return cache(lambda name: Contract(Registry().get(name), tmp_path_factory.mktemp(name)))


def same(contract: Contract, submission: pd.DataFrame, naive: Callable[[pd.DataFrame, pd.DataFrame], float]) -> float:
    """Our score of a submission, after checking that the naive one equals it."""
    path = contract.write(submission)
    answers = contract.grader.answers_path
    theirs = naive(pd.read_csv(path), pd.read_csv(answers)) if answers.suffix == ".csv" else naive(path, answers)
    ours, _, _ = contract.grader.score(path)
    assert ours == pytest.approx(theirs, abs=1e-9)
    return ours


def sample(contract: Contract) -> pd.DataFrame:
    return pd.read_csv(contract.sample, dtype=str, keep_default_na=False)


def as_text(cells: pd.Series) -> list[str]:
    """The published cast to text, under pandas 2."""
    return ["nan" if pd.isna(cell) else str(cell) for cell in cells]


def distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def random_texts(rng: np.random.Generator, count: int, *, empty: bool = True) -> list[str]:
    return [" ".join(rng.choice(WORDS, rng.integers(0 if empty else 2, 5))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(3))
def test_chaii(contract, seed: int) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = (table.sort_values("id").fillna("") for table in (mine, truth))
        sets = [[set(text.lower().split()) for text in table["PredictionString"]] for table in (truth, mine)]
        binarizer = MultiLabelBinarizer().fit([*sets[0], *sets[1]])
        return jaccard_score(*map(binarizer.transform, sets), average="samples", zero_division=0)

    chaii = contract("chaii-hindi-and-tamil-question-answering")
    rng = np.random.default_rng(seed)
    table = sample(chaii)
    truth = chaii.grader.answers["PredictionString"].to_numpy()
    table["PredictionString"] = np.where(rng.random(len(table)) < 0.5, truth, random_texts(rng, len(table)))
    assert same(chaii, table.sample(frac=1, random_state=seed), naive) > 0.3


@pytest.mark.parametrize(
    ("competition", "column"),
    [
        ("chaii-hindi-and-tamil-question-answering", "PredictionString"),
        ("facebook-recruiting-iii-keyword-extraction", "Tags"),
    ],
)
def test_empty_cells_score_0_but_lone_numbers_are_no_texts(contract, competition: str, column: str) -> None:
    it = contract(competition)
    table = sample(it).assign(**{column: ""})
    assert it.grader.score(it.write(table))[0] == 0
    table.loc[3, column] = "1947"
    with pytest.raises(InvalidSubmissionError, match="must hold texts"):
        it.grader.score(it.write(table))
    table.loc[4, column] = "in 1947"
    assert it.grader.score(it.write(table))[0] >= 0


@pytest.mark.parametrize("seed", range(3))
def test_facebook(contract, seed: int) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = (table.sort_values("Id")["Tags"] for table in (mine, truth))
        classes = sorted({tag for cell in truth if isinstance(cell, str) for tag in cell.split()})
        binarizer = MultiLabelBinarizer(classes=classes, sparse_output=True)
        with pytest.warns(UserWarning, match="unknown class"):
            known = binarizer.fit([]).transform([cell.split() for cell in mine.fillna("")])
        return f1_score(binarizer.transform([cell.split() for cell in truth.fillna("")]), known, average="micro")

    facebook = contract("facebook-recruiting-iii-keyword-extraction")
    rng = np.random.default_rng(seed)
    table = sample(facebook)[["Id", "Tags"]]
    tags = ["c#", "php", "null", "no-such-tag", "java", "java"]
    table["Tags"] = [" ".join(rng.choice(tags, rng.integers(0, 4))) for _ in range(len(table))]
    assert 0 < same(facebook, table.sample(frac=1, random_state=seed), naive) < 1


@pytest.mark.parametrize("seed", range(3))
def test_ai4code(contract, seed: int) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        inversions = pairs = 0
        for a, b in zip(truth.sort_values("id")["cell_order"], mine.sort_values("id")["cell_order"], strict=True):
            true, guess = a.split(), b.split()
            ranks = [guess.index(cell) for cell in true]
            inversions += sum(ranks[i] > ranks[j] for j in range(len(ranks)) for i in range(j))
            pairs += len(true) * (len(true) - 1)
        return 1 - 4 * inversions / pairs

    notebooks = contract("AI4Code")
    rng = np.random.default_rng(seed)
    table = sample(notebooks)
    table["cell_order"] = [" ".join(rng.permutation(order.split())) for order in table["cell_order"]]
    same(notebooks, table.sample(frac=1, random_state=seed), naive)


@pytest.mark.parametrize("order", ["only-this-one", "{} {}", "{} ffffffff"])
def test_ai4code_refuses_what_is_no_permutation(contract, order: str) -> None:
    notebooks = contract("AI4Code")
    table = sample(notebooks)
    table.loc[0, "cell_order"] = order.format(table.loc[0, "cell_order"], table.loc[0, "cell_order"])
    with pytest.raises(InvalidSubmissionError, match="cell"):
        notebooks.grader.score(notebooks.write(table))


def naive_map(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
    mine = mine[mine["customer_id"].isin(truth["customer_id"])].sort_values("customer_id")
    truth = truth.sort_values("customer_id")
    scores = []
    for a, b in zip(as_text(truth["prediction"]), as_text(mine["prediction"]), strict=False):
        actual, guess, hits, total = set(a.split(" ")), b.split(" ")[:12], 0, 0.0
        for place, item in enumerate(guess, start=1):
            if item in actual and item not in guess[: place - 1]:
                hits += 1
                total += hits / place
        scores.append(total / min(len(actual), 12))
    return float(np.mean(scores))


@pytest.mark.parametrize("kind", ["lists", "zeros", "one each", "one or none", "none", "extra", "twice"])
def test_h_and_m(contract, kind: str) -> None:
    shop = contract("h-and-m-personalized-fashion-recommendations")
    rng = np.random.default_rng(1)
    table = sample(shop)
    truth = shop.grader.answers.set_index("customer_id")["prediction"]
    bought = table["customer_id"].map(truth).fillna("1")
    zero = "" if kind in ("lists", "extra", "twice") else "0"
    if kind in ("lists", "zeros", "extra", "twice"):
        table["prediction"] = [
            " ".join(zero + item for item in [*rng.permutation(cell.split()), "77", cell.split()[0]]) for cell in bought
        ]
    else:
        table["prediction"] = [zero + cell.split()[0] for cell in bought]
    if kind == "one or none":
        table.loc[rng.random(len(table)) < 0.3, "prediction"] = ""
    if kind == "none":
        table["prediction"] = "None"
    if kind == "extra":
        table = pd.concat([table, pd.DataFrame({"customer_id": ["nobody", "nobody"], "prediction": ["1", ""]})])
    if kind == "twice":
        scored = table[table["customer_id"].isin(truth.index)]
        table = pd.concat([table, scored.iloc[[3, 3, 9]]])
    score = same(shop, table.sample(frac=1, random_state=2), naive_map)
    assert (score > 0) == (kind not in ("zeros", "one or none", "none"))


@pytest.mark.parametrize("seed", range(3))
def test_tensorflow2(contract, seed: int) -> None:
    def naive(mine: Path, answers: Path) -> float:
        cells = pd.read_csv(mine).fillna("").astype(str).set_index("example_id")["PredictionString"]
        truths, guesses = [], []
        for example in map(json.loads, answers.read_text().splitlines()):
            annotation = example["annotations"][0]
            span = annotation["long_answer"]
            long = [(span["start_token"], span["end_token"])] if span["start_token"] != -1 else []
            short = [(s["start_token"], s["end_token"]) for s in annotation["short_answers"]]
            if annotation["yes_no_answer"] != "NONE":
                short.append(annotation["yes_no_answer"])
            for kind, valid in (("long", long), ("short", short)):
                cell = cells[f"{example['example_id']}_{kind}"]
                guess = tuple(map(int, cell.split(":"))) if ":" in cell else cell
                guesses.append(int(cell != ""))
                truths.append(int(guess in valid) if cell else int(bool(valid)))
        return f1_score(truths, guesses, average="micro")

    questions = contract("tensorflow2-question-answering")
    rng = np.random.default_rng(seed)
    table = questions.perfect()
    other = rng.choice(["", "YES", "NO", "3:5", " 6: +18", "null"], len(table))
    table["PredictionString"] = np.where(rng.random(len(table)) < 0.5, table["PredictionString"], other)
    assert 0.5 < same(questions, table.sample(frac=1, random_state=seed), naive) < 1


@pytest.mark.parametrize("ids", ["right", "wrong numbers", "words"])
def test_google_quest(contract, ids: str) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = mine.sort_values("qa_id"), truth.sort_values("qa_id")
        names = [name for name in truth.columns if name != "qa_id"]
        return float(np.mean([spearmanr(mine[name], truth[name]).statistic for name in names]))

    quest = contract("google-quest-challenge")
    rng = np.random.default_rng(0)
    table = quest.grader.answers.copy()
    for name in quest.grader.columns:
        table[name] = np.round(table[name] + rng.normal(0, 0.3, len(table)), 1)
    table.iloc[0, -1] = np.inf  # only the order counts
    table = table.sample(frac=1, random_state=1)
    if ids != "right":
        table["qa_id"] = range(10**6, 10**6 + len(table))
    if ids == "words":
        table["qa_id"] = "q" + (table["qa_id"] * 7919 % 10**6).astype(str)
    same(quest, table, naive)


def test_google_quest_refuses_a_constant_column(contract) -> None:
    quest = contract("google-quest-challenge")
    table = quest.grader.answers.assign(answer_helpful=0.5)
    with pytest.raises(InvalidSubmissionError, match="no score"):
        quest.grader.score(quest.write(table))


def test_lmsys(contract) -> None:
    names = ["winner_model_a", "winner_model_b", "winner_tie"]

    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = mine.sort_values("id"), truth.sort_values("id")
        return log_loss(truth[names].to_numpy(), mine[names].to_numpy())

    arena = contract("lmsys-chatbot-arena")
    rng = np.random.default_rng(0)
    table = sample(arena)
    table[names] = rng.dirichlet([0.1, 0.2, 0.3], len(table))
    table.loc[0, names] = [1.0, 0.0, 0.0]
    table.loc[1, names] = [0.3333333, 0.3333333, 0.3333333]
    assert table[names].sum(axis=1).round(6).eq(1).all()
    same(arena, table.sample(frac=1, random_state=1), naive)
    table.loc[1, names] = [0.33, 0.33, 0.33]
    with pytest.raises(InvalidSubmissionError, match="add up"):
        arena.grader.score(arena.write(table))


def test_us_patent(contract) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        return pearsonr(truth.sort_values("id")["score"], mine.sort_values("id")["score"]).statistic

    phrases = contract("us-patent-phrase-to-phrase-matching")
    table = sample(phrases).assign(score=np.random.default_rng(0).normal(3, 1e3, len(sample(phrases))))
    same(phrases, table.sample(frac=1, random_state=1), naive)


@pytest.mark.parametrize("scores", [[1, 2, 3, 4, 5, 6], [2, 3, 70], [3], [-1, 0, 2, 7]])
def test_learning_agency(contract, scores: list[int]) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = mine.sort_values("essay_id"), truth.sort_values("essay_id")
        return cohen_kappa_score(mine["score"], truth["score"], weights="quadratic")

    essays = contract("learning-agency-lab-automated-essay-scoring-2")
    table = sample(essays)
    table["score"] = np.random.default_rng(0).choice(scores, len(table))
    same(essays, table.sample(frac=1, random_state=1), naive)


def test_bms(contract) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = (as_text(table.sort_values("image_id")["InChI"]) for table in (mine, truth))
        return float(np.mean([distance(a, b) for a, b in zip(truth, mine, strict=True)]))

    molecules = contract("bms-molecular-translation")
    rng = np.random.default_rng(0)
    table = sample(molecules)
    table["InChI"] = np.where(rng.random(len(table)) < 0.5, table["InChI"], random_texts(rng, len(table)))
    same(molecules, table.sample(frac=1, random_state=1), naive)


def test_billion_words(contract) -> None:
    def naive(mine: pd.DataFrame, truth: pd.DataFrame) -> float:
        mine, truth = (table.sort_values("id")["sentence"] for table in (mine, truth))
        return float(np.mean([distance(a, b) for a, b in zip(truth, mine, strict=True)]))

    news = contract("billion-word-imputation")
    rng = np.random.default_rng(0)
    table = sample(news)
    guess = random_texts(rng, len(table), empty=False)
    table["sentence"] = np.where(rng.random(len(table)) < 0.5, table["sentence"], guess)
    same(news, table.sample(frac=1, random_state=1), naive)
