"""Input columns turned into matrices, one view for each family of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from solver.columns import Columns

ONE_HOT = 50
"""Categories of a column that get a column of their own in the linear view (the most frequent ones)."""
MOST_TERMS = 100_000
MANY_ROWS = 20_000
"""Rows beyond which letters are left out of the text features, for speed."""
TOPICS = 30
"""Dimensions of the text in the view for trees."""
MOST_TEXTS = 3
CLIP = 8.0
"""Standardised numbers are cut here, so that one wild value does not rule a linear model."""

Views = dict[str, Any]
"""trees: dense, gaps as NaN. linear: dense, standardised, without gaps. words: sparse TF-IDF. sparse: linear + words."""


@dataclass
class _Category:
    codes: dict[str, int]
    """Rank by frequency."""
    counts: dict[str, int]


class TableFeatures:
    """Learns from the training table how to turn tables into views."""

    def __init__(self, columns: Columns, seed: int = 0) -> None:
        self.columns = columns
        self.seed = seed
        self.texts = columns.texts[:MOST_TEXTS]
        self._categories: dict[str, _Category] = {}
        self._medians = pd.Series(dtype=float)
        self._gappy: list[str] = []
        self._scaler = StandardScaler()
        self._vectorizers: list[tuple[str, TfidfVectorizer]] = []
        self._topics: TruncatedSVD | None = None

    def fit_transform(self, train: pd.DataFrame) -> Views:
        """Learn and turn the training table."""
        train = self.columns.expand(train)
        for name in self.columns.categories:
            counts = _words(train[name]).value_counts()
            self._categories[name] = _Category({v: i for i, v in enumerate(counts.index)}, counts.to_dict())
        numbers = self._numbers(train)
        self._medians = numbers.median().fillna(0.0)
        self._gappy = [name for name in numbers if numbers[name].isna().any()]
        self._scaler.fit(self._unscaled(train))
        for name in self.texts:
            self._vectorizers += [(name, v.fit(_words(train[name]))) for v in _vectorizers(len(train))]
        if self.texts:
            words = self._terms(train)
            self._topics = TruncatedSVD(min(TOPICS, words.shape[1] - 1), random_state=self.seed).fit(words)
        return self.transform(train, expanded=True)

    def transform(self, table: pd.DataFrame, *, expanded: bool = False) -> Views:
        """Turn a table into views; a category or word not seen in training counts as absent."""
        table = table if expanded else self.columns.expand(table)
        numbers = self._numbers(table)
        codes = [self._coded(table, name) for name in self.columns.categories]
        linear = np.clip(self._scaler.transform(self._unscaled(table)), -CLIP, CLIP).astype(np.float32)
        trees = np.hstack([numbers.to_numpy(np.float32), *codes])
        if not self.texts:
            return {"trees": trees, "linear": linear}
        words = self._terms(table)
        assert self._topics is not None
        return {
            "trees": np.hstack([trees, self._topics.transform(words).astype(np.float32)]),
            "linear": linear,
            "words": words,
            "sparse": sparse.hstack([sparse.csr_matrix(linear * 0.1), words]).tocsr(),
        }

    def _numbers(self, table: pd.DataFrame) -> pd.DataFrame:
        parts = {}
        for name in self.columns.numbers:
            parts[name] = pd.to_numeric(table[name], errors="coerce").astype(np.float64)
        for name in self.texts:
            text = _words(table[name])
            length = text.str.len()
            parts[f"{name}: letters"] = length
            parts[f"{name}: words"] = text.str.count(r"\S+")
            parts[f"{name}: capitals"] = text.str.count(r"[A-Z]") / (length + 1)
            parts[f"{name}: marks"] = text.str.count(r"[^\w\s]") / (length + 1)
        frame = pd.DataFrame(parts, index=table.index, dtype=np.float64)
        return frame.replace([np.inf, -np.inf], np.nan)

    def _coded(self, table: pd.DataFrame, name: str) -> np.ndarray:
        category, words = self._categories[name], _words(table[name])
        return np.column_stack([words.map(category.codes), words.map(category.counts).fillna(0)]).astype(np.float32)

    def _unscaled(self, table: pd.DataFrame) -> np.ndarray:
        numbers = self._numbers(table)
        parts = [numbers.fillna(self._medians).to_numpy(), numbers[self._gappy].isna().to_numpy()]
        for name in self.columns.categories:
            words = _words(table[name])
            parts.append(np.column_stack([words == value for value in list(self._categories[name].codes)[:ONE_HOT]]))
        return np.hstack(parts).astype(np.float64)

    def _terms(self, table: pd.DataFrame) -> sparse.csr_matrix:
        return sparse.hstack([v.transform(_words(table[name])) for name, v in self._vectorizers]).tocsr()


def _words(cells: pd.Series) -> pd.Series:
    return cells.astype(object).where(cells.notna(), "").astype(str)


def _vectorizers(rows: int) -> list[TfidfVectorizer]:
    common: dict[str, Any] = {
        "sublinear_tf": True,
        "min_df": 2 if rows > 1_000 else 1,
        "max_features": MOST_TERMS,
        "dtype": np.float32,
    }
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", strip_accents="unicode", **common)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common)
    return [words, letters] if rows <= MANY_ROWS else [words]
