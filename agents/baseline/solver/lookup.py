"""Text out for text in: copy an input column, or look up what training wrote most often for the same input."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from solver.environment import Clock
from solver.goals import find_goals
from solver.strategies import Proposal
from solver.task import Task

log = logging.getLogger(__name__)

HELD_OUT = 0.1
MOST_HELD_OUT = 50_000
SHARE_COPIED = 0.3
"""A text target that could be a class is none if it repeats an input cell in at least this share of the rows..."""
MOST_LABELS = 30
"""...and has more different values than this; True and False are classes even where another column often agrees."""

Rule = Callable[[pd.Series], pd.Series]
"""Turns input cells into output cells."""


class TextLookup:
    """For a single text column that is asked for; the best rule on held-out training rows is used."""

    name = "copy or look up text"

    def fits(self, task: Task) -> bool:
        """A target that is text in training and no class, and at least one shared text column to start from."""
        if task.train is None or not task.has_test_table or len(task.targets) != 1 or task.label is not None:
            return False
        target = task.train[task.targets[0]]
        if not _is_text(target) or not _inputs(task):
            return False
        if find_goals(task) is None:
            return True
        copied = max(float((task.train[name] == target).mean()) for name in _inputs(task))
        return copied >= SHARE_COPIED and target.nunique() > MOST_LABELS

    def solve(self, task: Task, clock: Clock, cpus: int) -> Iterator[Proposal]:
        """One submission, from the rule that does best on held-out rows."""
        assert task.train is not None and task.test is not None
        target = task.targets[0]
        rows = np.random.default_rng(task.seed).random(len(task.train)) < HELD_OUT
        inside, outside = task.train[~rows], task.train[rows].head(MOST_HELD_OUT)
        best, best_score, best_name, best_input = None, -1.0, "", ""
        for column in _inputs(task):
            for name, learn_rule in (("copy", _copy), ("look up, else copy", _look_up)):
                score = agreement(learn_rule(inside, column, target)(outside[column]), outside[target])
                log.info("%s of %s: held-out word agreement %.4f", name, column, score)
                if score > best_score:
                    best, best_score, best_name, best_input = learn_rule, score, name, column
        if best is None:
            return
        answer = best(task.train, best_input, target)(task.test[best_input])
        frame = task.sample.copy()
        frame[target] = answer.to_numpy()
        facts = {"rule": f"{best_name} of {best_input}", "cross_validation": {"word agreement": best_score}}
        yield Proposal(frame, None, facts)


def _is_text(cells: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(cells)


def _inputs(task: Task) -> list[str]:
    assert task.train is not None and task.test is not None
    shared = [n for n in task.train if n in task.test and n not in task.targets and n not in task.ids]
    return [name for name in shared if _is_text(task.train[name])]


def _copy(train: pd.DataFrame, column: str, target: str) -> Rule:
    return lambda cells: cells.astype(str)


def _look_up(train: pd.DataFrame, column: str, target: str) -> Rule:
    pairs = train.groupby([column, target], sort=False).size().sort_values(ascending=False, kind="stable").reset_index()
    usual = pairs.drop_duplicates(column).set_index(column)[target]
    return lambda cells: cells.map(usual).fillna(cells).astype(str)


def agreement(given: pd.Series, true: pd.Series) -> float:
    """Mean over rows of (words in common) / (words in either), 1 for equal texts."""

    def one(a: str, b: str) -> float:
        if a == b:
            return 1.0
        left, right = set(a.lower().split()), set(b.lower().split())
        return len(left & right) / max(1, len(left | right))

    return float(np.mean([one(str(a), str(b)) for a, b in zip(given, true, strict=True)]))
