"""Metrics for text answers, against scikit-learn, plain loops and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.text import exact_match, word_jaccard

WORDS = st.lists(st.sampled_from(["I", "i", "Am", "am", "fine.", "fine", "\t", "é"]), max_size=6).map(" ".join)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=20)


class TestExactMatch:
    def test_by_hand(self) -> None:
        assert exact_match(["one", "Two", "three "], ["one", "two", "three"]) == pytest.approx(1 / 3)

    @given(PAIRS)
    def test_is_accuracy_over_texts(self, rows: list[tuple[str, str]]) -> None:
        truth, guess = zip(*rows, strict=True)
        assert exact_match(truth, guess) == pytest.approx(sklearn.metrics.accuracy_score(truth, guess), abs=1e-15)

    def test_missing_texts_are_empty_texts(self) -> None:
        assert exact_match([np.nan, "a", ""], [np.nan, np.nan, np.nan]) == pytest.approx(2 / 3)

    def test_of_nothing_is_undefined(self) -> None:
        with pytest.raises(UndefinedMetricError):
            exact_match([], [])


def naive_jaccard(truth: str, guess: str) -> float:
    """The definition, word by word, with scikit-learn's Jaccard score over the words of both."""
    words = sorted({*truth.lower().split(), *guess.lower().split()})
    if not words:
        return 1.0
    marks = [[word in text.lower().split() for word in words] for text in (truth, guess)]
    return sklearn.metrics.jaccard_score(*marks, zero_division=0.0)


class TestWordJaccard:
    def test_by_hand(self) -> None:
        assert word_jaccard(["Good morning all"], ["good MORNING"]) == pytest.approx(2 / 3)
        assert word_jaccard(["a b", "c"], ["b a", "d"]) == 0.5

    @given(PAIRS)
    def test_equals_the_definition(self, rows: list[tuple[str, str]]) -> None:
        truth, guess = zip(*rows, strict=True)
        wanted = np.mean([naive_jaccard(a, b) for a, b in rows])
        assert word_jaccard(truth, guess) == pytest.approx(wanted, abs=1e-12)

    @given(PAIRS)
    def test_is_symmetric_and_one_for_the_truth(self, rows: list[tuple[str, str]]) -> None:
        truth, guess = zip(*rows, strict=True)
        assert word_jaccard(truth, guess) == pytest.approx(word_jaccard(guess, truth), abs=1e-12)
        assert word_jaccard(truth, truth) == 1.0

    def test_missing_and_blank_texts_hold_no_words(self) -> None:
        assert word_jaccard(["", " ", "word"], [np.nan, "", ""]) == pytest.approx(2 / 3)

    def test_of_nothing_is_undefined(self) -> None:
        with pytest.raises(UndefinedMetricError):
            word_jaccard([], [])
