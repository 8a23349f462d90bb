"""Cross-validation of the candidates and a blend of them, as time allows."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from solver.environment import Clock, OutOfTime
from solver.features import Views
from solver.goals import Goal, Kind
from solver.models import Candidate, candidates

log = logging.getLogger(__name__)

THREADED_ROWS = 20_000
"""Rows from which threads pay: on small tables they wait for each other, above all on a busy machine."""
MANY_ROWS = 5_000
"""Rows beyond which three folds do."""
BLEND_STEPS = 20
TIE_BREAK = 0.02
"""Weight of the log loss where the likeliest class is written: among equal error rates the surer blend wins."""


@dataclass
class Fitted:
    """A candidate after cross-validation."""

    name: str
    held_out: np.ndarray
    """Predictions for the training rows, each by a model that did not see the row."""
    test: np.ndarray
    """Mean prediction of the folds' models for the test rows."""


@dataclass
class Answer:
    """A prediction for the test rows and how good it should be."""

    test: np.ndarray
    loss: float
    scores: dict[str, float]
    """Cross-validated figures for people."""
    parts: dict[str, float]
    """Share of each model in the blend."""


def learn(goal: Goal, train: Views, test: Views, clock: Clock, cpus: int, seed: int) -> Iterator[Answer]:
    """Yield a first answer after the first model, then the best blend of all models that the time allowed."""
    train, test = _with_filled(train), _with_filled(test)
    rows = {name: view[goal.rows] for name, view in train.items()}
    folds = _folds(goal, seed)
    fitted: list[Fitted] = []
    slowest = 0.0
    for candidate in candidates(goal, train, len(goal.rows), cpus, seed):
        if fitted and clock.left < slowest:
            log.info("no time left for %s and what follows", candidate.name)
            break
        start = clock.spent
        try:
            # The first model is fitted whatever the clock says: without it there is nothing to hand in.
            limit = clock if fitted else None
            x, x_test = rows[candidate.view], test[candidate.view]
            with threadpool_limits(cpus if len(goal.rows) >= THREADED_ROWS else 1):
                fitted.append(_cross_validate(candidate, goal, x, x_test, folds, limit))
        except OutOfTime as reason:
            log.info("%s given up: %s", candidate.name, reason)
            break
        except (ValueError, MemoryError, FloatingPointError) as problem:
            log.warning("%s failed: %s", candidate.name, problem)
            continue
        slowest = max(slowest, clock.spent - start)
        one = blend(goal, fitted[-1:])
        log.info("%s: %s in %.1f s", candidate.name, shown(one.scores), clock.spent - start)
        if len(fitted) == 1:
            yield one
    if len(fitted) > 1:
        yield blend(goal, fitted)


def _with_filled(views: Views) -> Views:
    """Forests of older libraries take no gaps, so they get a view where a gap is a number far below all others."""
    return {**views, "trees_filled": np.nan_to_num(views["trees"], nan=-1e6)} if "trees" in views else views


def _folds(goal: Goal, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    n = len(goal.rows)
    count = 3 if n > MANY_ROWS else 5
    if goal.is_classification and np.bincount(goal.y).min() >= count:
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(np.zeros(n), goal.y))
    return list(KFold(min(count, n), shuffle=True, random_state=seed).split(np.zeros(n)))


def _cross_validate(
    candidate: Candidate,
    goal: Goal,
    x: Any,
    x_test: Any,
    folds: list[tuple[np.ndarray, np.ndarray]],
    clock: Clock | None,
) -> Fitted:
    shape = (len(goal.classes),) if goal.is_classification else ()
    held_out = np.zeros((len(goal.rows), *shape))
    test = np.zeros((x_test.shape[0], *shape))
    for inside, outside in folds:
        if clock:
            clock.check()
        model = candidate.make()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged, few members of a class: the held-out score tells
            model.fit(x[inside], goal.y[inside])
        held_out[outside] = _predict(model, goal, x[outside])
        test += _predict(model, goal, x_test) / len(folds)
    return Fitted(candidate.name, held_out, test)


def _predict(model: Any, goal: Goal, x: Any) -> np.ndarray:
    if not goal.is_classification:
        return np.asarray(model.predict(x), dtype=np.float64).ravel()
    shares = np.zeros((x.shape[0], len(goal.classes)))
    shares[:, model.classes_] = model.predict_proba(x)  # a fold may lack a rare class
    return shares


def blend(goal: Goal, fitted: list[Fitted]) -> Answer:
    """Add models one by one, with repetition, each time the one that lowers the held-out loss most.

    R. Caruana et al.: Ensemble selection from libraries of models, ICML 2004.
    """
    counts = np.zeros(len(fitted))
    total = np.zeros_like(fitted[0].held_out)
    best, best_counts = np.inf, counts
    for step in range(1, BLEND_STEPS + 1 if len(fitted) > 1 else 2):
        losses = [loss(goal, (total + model.held_out) / step) for model in fitted]
        chosen = int(np.argmin(losses))
        counts[chosen] += 1
        total += fitted[chosen].held_out
        if losses[chosen] < best:
            best, best_counts = losses[chosen], counts.copy()
    shares = best_counts / best_counts.sum()
    held_out = sum(share * model.held_out for share, model in zip(shares, fitted, strict=True))
    test = sum(share * model.test for share, model in zip(shares, fitted, strict=True))
    parts = {model.name: round(float(share), 3) for share, model in zip(shares, fitted, strict=True) if share}
    return Answer(np.asarray(test), best, _scores(goal, np.asarray(held_out)), parts)


def loss(goal: Goal, prediction: np.ndarray) -> float:
    """What a blend is chosen by: squared error, log loss, or errors with log loss to tell equals apart."""
    if goal.kind is Kind.NUMBER:
        return float(np.mean((prediction - goal.y) ** 2))
    if goal.kind is Kind.CLASS:
        return float(np.mean(prediction.argmax(axis=1) != goal.y)) + TIE_BREAK * _log_loss(goal, prediction)
    return _log_loss(goal, prediction)


def _log_loss(goal: Goal, prediction: np.ndarray) -> float:
    return -float(np.mean(np.log(np.clip(prediction[np.arange(len(goal.y)), goal.y], 1e-9, 1))))


def _scores(goal: Goal, prediction: np.ndarray) -> dict[str, float]:
    if goal.kind is Kind.NUMBER:
        name = "RMSE of log(1 + y)" if goal.logarithm else "RMSE"
        return {name: float(np.sqrt(loss(goal, prediction))), "constant": float(np.std(goal.y))}
    scores = {
        "accuracy": float(np.mean(prediction.argmax(axis=1) == goal.y)),
        "log loss": _log_loss(goal, prediction),
    }
    if len(goal.classes) == 2:
        ranks, positive = rankdata(prediction[:, 1]), goal.y == 1
        hits, misses = positive.sum(), (~positive).sum()
        scores["AUC"] = float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))
    return scores


def shown(scores: dict[str, float]) -> str:
    """Scores on one line."""
    return ", ".join(f"{name} {value:.5g}" for name, value in scores.items())
