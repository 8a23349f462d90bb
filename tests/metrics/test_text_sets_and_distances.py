"""Word sets, label sets and edit distances against scikit-learn and straightforward loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.text import label_set_f1, levenshtein, word_jaccard

TEXTS = st.text("abé ", max_size=8)
LABELS = st.lists(st.sampled_from(["c#", ".net", "php", "java"]), max_size=5).map(" ".join)


def naive_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
def test_levenshtein_equals_the_textbook(rows) -> None:
    truth, guess = zip(*rows, strict=True)
    assert math.isclose(levenshtein(truth, guess), np.mean([naive_distance(a, b) for a, b in rows]))


def test_levenshtein_by_hand() -> None:
    assert levenshtein(["kitten", "ab"], ["sitting", "ab"]) == 1.5
    assert levenshtein(["nan"], [np.nan], missing="nan") == 0.0
    with pytest.raises(UndefinedMetricError):
        levenshtein([], [])


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=8))
def test_label_set_f1_equals_scikit_learn(rows) -> None:
    truth, guess = ([set(text.split()) for text in texts] for texts in zip(*rows, strict=True))
    for known_only in (False, True):
        labels = sorted(set().union(*truth) if known_only else set().union(*truth, *guess))
        if len(labels) < 2:  # scikit-learn takes one label for a binary target
            continue
        known = [labels_of & set(labels) for labels_of in guess]
        binarizer = MultiLabelBinarizer(classes=labels)
        theirs = f1_score(binarizer.fit_transform(truth), binarizer.fit_transform(known), average="micro")
        ours = label_set_f1([" ".join(t) for t in truth], [" ".join(g) for g in guess], known_only=known_only)
        assert math.isclose(ours, theirs)


def test_label_set_f1_by_hand() -> None:
    # 2 hits, one missed label, one label too many that nobody has.
    assert label_set_f1(["c# .net", "php"], ["c#", "php vb php"]) == 4 / 6
    assert label_set_f1(["c# .net", "php"], ["c#", "php vb php"], known_only=True) == 4 / 5
    with pytest.raises(UndefinedMetricError):
        label_set_f1([""], [np.nan])


def test_word_jaccard_of_two_empty_texts() -> None:
    assert word_jaccard(["", " ", "a b"], [np.nan, " ", "b c"], both_empty=0.0) == (1 / 3) / 3
    assert word_jaccard(["", " "], [np.nan, " "]) == 1.0
