"""What is asked for: which columns of the submission hold classes, probabilities or numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd

from solver.tables import MISSING
from solver.task import Task

MOST_CLASSES = 1_000
FEW_NUMBERS = 30
"""Whole numbers with no more different values than this are classes rather than amounts."""
ROWS_PER_CLASS = 4.0
"""Text with fewer rows than this for each value is no class but free text."""
FLOOR = 1e-6
"""Smallest class probability that is written: log loss punishes a wrong 0 without bound."""

WANTS_PROBABILITIES = re.compile(
    r"\broc\b|\bauc\b|area under|log(arithmic)?[ -]?loss|probabilit|brier|cross[ -]entropy", re.I
)
WANTS_CLASSES = re.compile(r"accuracy|\bf1\b|f-score|\bkappa\b", re.I)
WANTS_AMOUNTS = re.compile(r"\bkappa\b|squared|absolute|\brmse\b|\bmae\b", re.I)
WANTS_LOGARITHMS = re.compile(r"rmsle|logarithmic error|ln\(|log1p|log\(", re.I)


class Kind(Enum):
    """What is written for a goal."""

    CLASS = "the likeliest class"
    PROBABILITY = "the probability of the positive class"
    ONE_HOT = "a probability for each class"
    NUMBER = "a number"


@dataclass
class Goal:
    """One thing to predict: usually one column of the submission, for ONE_HOT all of them."""

    kind: Kind
    columns: list[str]
    y: np.ndarray
    """Training truth: class numbers (index into `classes`), or the number (its log1p when `logarithm`)."""
    rows: np.ndarray
    """Training rows whose truth is known."""
    classes: list[str]
    """Classes as they are written; empty for NUMBER."""
    whole: bool = False
    """NUMBER: only whole numbers occur."""
    logarithm: bool = False
    """NUMBER: errors are counted on log(1 + y), so that is what is fitted."""
    low: float = -np.inf
    high: float = np.inf

    @property
    def is_classification(self) -> bool:
        """Whether classes are told apart."""
        return self.kind is not Kind.NUMBER

    def written(self, prediction: np.ndarray, *, plain: bool = False) -> pd.DataFrame:
        """The submission's columns for a prediction: class probabilities (n, classes), or numbers (n,).

        `plain` is the other form that the competition may want: the class instead of its probability, a whole
        number instead of a fraction.
        """
        if self.kind is Kind.NUMBER:
            values = np.clip(np.expm1(prediction) if self.logarithm else prediction, self.low, self.high)
            return pd.DataFrame({self.columns[0]: np.rint(values).astype(int) if plain or self.whole else values})
        if self.kind is Kind.ONE_HOT:
            shares = pd.DataFrame(prediction, columns=self.classes).reindex(columns=self.columns, fill_value=0.0)
            shares = shares.clip(lower=FLOOR)
            return shares.div(shares.sum(axis=1), axis=0)
        if self.kind is Kind.PROBABILITY and not plain:
            return pd.DataFrame({self.columns[0]: prediction[:, -1]})
        return pd.DataFrame({self.columns[0]: np.asarray(self.classes, dtype=object)[prediction.argmax(axis=1)]})


def find_goals(task: Task) -> list[Goal] | None:
    """The goals of a task with a training table; none when a target is no kind we know (free text, say)."""
    if task.train is None:
        return None
    if task.label is not None:
        classes, numbers = np.unique(task.train[task.label].astype(str), return_inverse=True)
        return [Goal(Kind.ONE_HOT, task.targets, numbers, np.arange(len(numbers)), list(classes))]
    goals = [_goal(name, task) for name in task.targets]
    return None if any(goal is None for goal in goals) else [goal for goal in goals if goal is not None]


def _goal(name: str, task: Task) -> Goal | None:
    assert task.train is not None
    cells, sample = task.train[name], task.sample[name]
    text = cells.astype(str)
    known = np.flatnonzero((cells.notna() & ~(text.isin(MISSING))).to_numpy())
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)[known]
    given = pd.to_numeric(sample, errors="coerce")
    distinct = text.iloc[known].nunique()
    if distinct < 2:
        return None
    if pd.api.types.is_bool_dtype(cells) or set(text.iloc[known]) <= {"True", "False", "true", "false"}:
        kind = Kind.CLASS if given.isna().all() else _binary_kind(given, task.description)
        return _classes(kind, name, text, known)
    if np.isnan(numbers).any():
        if distinct > MOST_CLASSES or distinct * ROWS_PER_CLASS > len(known):
            return None
        return _classes(Kind.CLASS, name, text, known)
    if set(np.unique(numbers)) == {0.0, 1.0}:
        text = pd.Series(np.where(pd.to_numeric(cells, errors="coerce") == 1, "1", "0"))
        return _classes(_binary_kind(given, task.description), name, text, known)
    whole = bool((numbers == np.rint(numbers)).all())
    asks_whole = bool((given == given.round()).all())
    few = whole and distinct <= FEW_NUMBERS
    if few and asks_whole and not WANTS_AMOUNTS.search(task.description):
        written = pd.Series(np.zeros(len(cells), dtype=np.int64))
        written.iloc[known] = numbers.astype(np.int64)
        return _classes(Kind.CLASS, name, written.astype(str), known)
    logarithm = numbers.min() >= 0 and bool(WANTS_LOGARITHMS.search(task.description))
    return Goal(
        Kind.NUMBER,
        [name],
        np.log1p(numbers) if logarithm else numbers,
        known,
        [],
        whole=few and asks_whole,
        logarithm=logarithm,
        low=float(numbers.min()),
        high=float(numbers.max()),
    )


def _binary_kind(sample: pd.Series, description: str) -> Kind:
    """Whether a binary column wants a probability: said by a fraction in the sample, else by the description."""
    if (sample != sample.round()).any():
        return Kind.PROBABILITY
    if WANTS_CLASSES.search(description) and not WANTS_PROBABILITIES.search(description):
        return Kind.CLASS
    return Kind.PROBABILITY


def _classes(kind: Kind, name: str, text: pd.Series, known: np.ndarray) -> Goal:
    classes, numbers = np.unique(text.iloc[known].to_numpy(dtype=object).astype(str), return_inverse=True)
    return Goal(kind, [name], numbers, known, [str(c) for c in classes])
