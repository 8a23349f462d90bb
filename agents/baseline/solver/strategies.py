"""Ways to answer a task, tried in this order; the first that fits and does not fail is used."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from solver.columns import Columns
from solver.environment import Clock
from solver.features import TableFeatures, Views
from solver.goals import Goal, find_goals
from solver.images import PictureFeatures, Pictures, affordable, class_folders, find_keys
from solver.learning import Answer, learn, shown
from solver.task import Task

log = logging.getLogger(__name__)

ROWS_PER_SECOND = 100
"""Training rows kept for each second of our share of the time."""
FEWEST_ROWS, MOST_ROWS = 3_000, 400_000


@dataclass
class Proposal:
    """A submission, and the same in another form in case its first form is refused."""

    frame: pd.DataFrame
    plain: pd.DataFrame | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """What was decided and how good it should be, for the log."""


class Strategy(Protocol):
    """A way to answer a task."""

    name: str

    def fits(self, task: Task) -> bool:
        """Whether this task has the shape that the strategy is for; cheap."""
        ...

    def solve(self, task: Task, clock: Clock, cpus: int) -> Iterator[Proposal]:
        """Yield submissions, each better than the one before."""
        ...


class TableLearning:
    """Classes or numbers from columns that training and test tables share: numbers, categories, codes, texts."""

    name = "models on table columns"

    def fits(self, task: Task) -> bool:
        return task.has_test_table and find_goals(task) is not None and _columns(task).any

    def solve(self, task: Task, clock: Clock, cpus: int) -> Iterator[Proposal]:
        goals = find_goals(task)
        assert goals is not None and task.train is not None and task.test is not None
        task = _thinned(task, clock)
        goals = find_goals(task) or goals
        columns = _columns(task)
        log.info("numbers %s", columns.numbers[:60])
        log.info("categories %s, codes %s, texts %s", columns.categories[:60], list(columns.codes), columns.texts)
        features = TableFeatures(columns, task.seed)
        train, test = features.fit_transform(task.train), features.transform(task.test)
        log.info("views %s", {name: view.shape for name, view in train.items()})
        yield from _answers(task, goals, train, test, clock, cpus)


class PictureLearning:
    """Classes or numbers from one small picture a row."""

    name = "models on scaled-down pictures"

    def fits(self, task: Task) -> bool:
        task = _with_class_folders(task)
        if find_goals(task) is None or task.train is None:
            return False
        return find_keys(task.sample, task.ids, Pictures(task.root, "test")) is not None

    def solve(self, task: Task, clock: Clock, cpus: int) -> Iterator[Proposal]:
        task = _with_class_folders(task)
        train_pictures, test_pictures = Pictures(task.root, "train"), Pictures(task.root, "test")
        assert task.train is not None
        names = [*task.ids, *task.train.columns]
        key, test_key = find_keys(task.train, names, train_pictures), find_keys(task.sample, task.ids, test_pictures)
        if key is None or test_key is None:
            raise ValueError("no column of the training table names the training pictures")
        task = _thinned(task, clock)
        test_keys, where = np.unique(task.sample[test_key].to_numpy(dtype=object).astype(str), return_inverse=True)
        keys = task.train[key].astype(str)
        count = affordable(train_pictures, list(keys), len(test_keys), clock)
        task.train = task.train.sample(count, random_state=task.seed).reset_index(drop=True)
        goals = find_goals(task)
        assert goals is not None
        keys_used = list(task.train[key].astype(str))
        features = PictureFeatures(train_pictures, keys_used)
        log.info("%d training pictures as %s %s", count, features.mode, features.size)
        train = features.views(train_pictures, keys_used, clock)
        test = features.views(test_pictures, list(test_keys), clock)
        yield from _answers(task, goals, train, {name: view[where] for name, view in test.items()}, clock, cpus)


def _answers(task: Task, goals: list[Goal], train: Views, test: Views, clock: Clock, cpus: int) -> Iterator[Proposal]:
    """Solve the goals one after the other; as soon as each has a first answer there is a submission."""
    best: list[Answer] = []
    for number, goal in enumerate(goals):
        log.info(
            "goal %s: %s, %d rows, %d classes", goal.columns[:5], goal.kind.value, len(goal.rows), len(goal.classes)
        )
        share = Clock(max(0.0, clock.left) / (len(goals) - number))
        answer = None
        for answer in learn(goal, train, test, share, cpus, task.seed):
            if number == len(goals) - 1:
                yield _proposal(task, goals, [*best, answer])
        if answer is None:
            raise ValueError(f"no model could be fitted for {goal.columns[0]}")
        best.append(answer)


def _proposal(task: Task, goals: list[Goal], answers: list[Answer]) -> Proposal:
    def frame(plain: bool) -> pd.DataFrame:
        written = task.sample[task.ids].reset_index(drop=True)
        for goal, answer in zip(goals, answers, strict=True):
            columns = goal.written(answer.test, plain=plain)
            written = pd.concat([written, columns], axis=1)
        return written[list(task.sample.columns)]

    facts = {
        "goals": [
            {"columns": g.columns[:5], "kind": g.kind.name, "models": a.parts, "cross_validation": a.scores}
            for g, a in zip(goals, answers, strict=True)
        ]
    }
    for goal, answer in zip(goals, answers, strict=True):
        log.info("%s: %s from %s", goal.columns[0], shown(answer.scores), answer.parts)
    return Proposal(frame(False), frame(True), facts)


def _columns(task: Task) -> Columns:
    """Columns to learn from: shared by both tables, not asked for; of the given ids only texts say anything."""
    assert task.train is not None and task.test is not None
    shared = [n for n in task.train if n in task.test and n not in task.targets and n != task.label]
    columns = Columns.learn(task.train, [name for name in shared if name not in task.ids])
    columns.texts += Columns.learn(task.train, [name for name in shared if name in task.ids]).texts
    return columns


def _thinned(task: Task, clock: Clock) -> Task:
    """The task with as many training rows, drawn at random, as the time allows."""
    assert task.train is not None
    rows = int(np.clip(ROWS_PER_SECOND * clock.left, FEWEST_ROWS, MOST_ROWS))
    train = task.train
    if len(train) > rows:
        log.info("%d of %d training rows are used", rows, len(train))
        train = train.sample(rows, random_state=task.seed)
    return Task(**{**vars(task), "train": train.reset_index(drop=True)})


def _with_class_folders(task: Task) -> Task:
    """Where no table holds the labels, the folders' names may."""
    if task.train is not None:
        return task
    files = class_folders(task.root)
    if files is None:
        return task
    known = set(files["folder"])
    if set(task.targets) <= known:
        return Task(**{**vars(task), "train": files, "label": "folder"})
    if len(task.targets) == 1:
        return Task(**{**vars(task), "train": files.rename(columns={"folder": task.targets[0]})})
    return task
