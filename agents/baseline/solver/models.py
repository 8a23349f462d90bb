"""Candidate models for a goal, cheap ones first, each with the view of the data that suits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model, naive_bayes, neighbors, neural_network, svm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from solver.features import Views
from solver.goals import Goal, Kind

KERNEL_ROWS = 4_000
"""Rows up to which kernel machines are tried."""
MANY_ROWS = 5_000
"""Rows beyond which forests have fewer trees with larger leaves, for time and memory."""
NETWORK_ROWS = 20_000
NEIGHBOUR_ROWS = 20_000
BOOSTING_CLASSES = 12
"""Boosting fits one tree a class and round, which is too slow beyond."""
EARLY_STOPPING_MEMBERS = 5
"""Rows that every class needs for boosting to hold some back and stop by them."""
WIDE = 100
"""Columns beyond which a dense view is first reduced for kernels, neighbours and networks."""


@dataclass(frozen=True)
class Candidate:
    """A model to try."""

    name: str
    view: str
    make: Callable[[], Any]


def candidates(goal: Goal, views: Views, rows: int, cpus: int, seed: int) -> list[Candidate]:
    """Models that fit the goal, the number of rows and the views at hand."""
    if goal.kind is Kind.NUMBER:
        return _regressors(views, rows, cpus, seed)
    return _classifiers(np.bincount(goal.y), views, rows, cpus, seed)


def _classifiers(members: np.ndarray, views: Views, rows: int, cpus: int, seed: int) -> list[Candidate]:
    leaf, trees = (1, 300) if rows < MANY_ROWS else (10, 100)
    found = []
    if "words" in views:
        for c in (3.0, 30.0):
            found.append(
                Candidate(
                    f"logistic regression on words, C {c:g}",
                    "sparse",
                    lambda c=c: linear_model.LogisticRegression(C=c, max_iter=300),
                )
            )
        found.append(Candidate("naive Bayes on words", "words", lambda: naive_bayes.MultinomialNB(alpha=0.05)))
    if "pixels" in views:
        return [
            *found,
            Candidate("logistic regression", "pixels", lambda: linear_model.LogisticRegression(C=1.0, max_iter=300)),
            *_distance_classifiers("pixels", views, rows, seed, scale=False),
            Candidate(
                "extra trees", "trees", lambda: ensemble.ExtraTreesClassifier(trees, n_jobs=cpus, random_state=seed)
            ),
        ]
    if "words" not in views:  # the sparse view holds the linear one
        found.append(
            Candidate("logistic regression", "linear", lambda: linear_model.LogisticRegression(C=0.3, max_iter=500))
        )
    if len(members) <= BOOSTING_CLASSES:
        early = bool(members.min() >= EARLY_STOPPING_MEMBERS)
        found.append(
            Candidate(
                "gradient boosting",
                "trees",
                lambda: ensemble.HistGradientBoostingClassifier(
                    learning_rate=0.08, max_iter=150, l2_regularization=5.0, early_stopping=early, random_state=seed
                ),
            )
        )
    found += [
        Candidate(
            "extra trees",
            "trees_filled",
            lambda: ensemble.ExtraTreesClassifier(
                trees, min_samples_leaf=leaf, max_features=0.5, n_jobs=cpus, random_state=seed
            ),
        ),
        Candidate(
            "random forest",
            "trees_filled",
            lambda: ensemble.RandomForestClassifier(
                trees, min_samples_leaf=max(2, leaf), n_jobs=cpus, random_state=seed
            ),
        ),
    ]
    if "words" not in views:
        found += _distance_classifiers("linear", views, rows, seed, scale=True)
    return found


def _distance_classifiers(view: str, views: Views, rows: int, seed: int, *, scale: bool) -> list[Candidate]:
    """Models that measure distances between rows."""
    before: list[Callable[[], Any]] = []
    if views[view].shape[1] > WIDE:
        before.append(lambda: PCA(min(60, rows // 4), random_state=seed))

    def after(model: Any) -> Any:
        return make_pipeline(*(make() for make in before), model)

    found = []
    if rows <= NEIGHBOUR_ROWS and not scale:
        found.append(
            Candidate("nearest neighbours", view, lambda: after(neighbors.KNeighborsClassifier(4, weights="distance")))
        )
    if rows <= KERNEL_ROWS:
        found.append(
            Candidate(
                "kernel machine",
                view,
                lambda: after(CalibratedClassifierCV(svm.SVC(C=3.0), ensemble=False, cv=3)),
            )
        )
    if rows <= NETWORK_ROWS:
        found.append(
            Candidate(
                "neural network",
                view,
                lambda: after(
                    neural_network.MLPClassifier((64,), alpha=1.0 if scale else 0.01, max_iter=100, random_state=seed)
                ),
            )
        )
    return found


def _regressors(views: Views, rows: int, cpus: int, seed: int) -> list[Candidate]:
    leaf, trees = (3, 300) if rows < MANY_ROWS else (10, 100)
    found = []
    if "words" in views:
        for alpha in (1.0, 10.0):
            found.append(
                Candidate(
                    f"ridge on words, {alpha:g}",
                    "sparse",
                    lambda alpha=alpha: linear_model.Ridge(alpha=alpha, solver="lsqr"),
                )
            )
    dense = "pixels" if "pixels" in views else "linear"
    for alpha in () if "words" in views else (1.0, 30.0):
        found.append(Candidate(f"ridge, {alpha:g}", dense, lambda alpha=alpha: linear_model.Ridge(alpha=alpha)))
    found += [
        Candidate(
            "gradient boosting",
            "trees",
            lambda: ensemble.HistGradientBoostingRegressor(
                learning_rate=0.05, max_iter=300, early_stopping=True, random_state=seed
            ),
        ),
        Candidate(
            "extra trees",
            "trees_filled",
            lambda: ensemble.ExtraTreesRegressor(
                trees, min_samples_leaf=leaf, max_features=0.5, n_jobs=cpus, random_state=seed
            ),
        ),
        Candidate(
            "random forest",
            "trees_filled",
            lambda: ensemble.RandomForestRegressor(
                trees, min_samples_leaf=leaf, max_features=0.4, n_jobs=cpus, random_state=seed
            ),
        ),
    ]
    if rows <= KERNEL_ROWS and views[dense].shape[1] <= WIDE:
        found.append(
            Candidate(
                "support vectors",
                dense,
                lambda: TransformedTargetRegressor(
                    make_pipeline(StandardScaler(), svm.SVR(C=1.0)), transformer=StandardScaler()
                ),
            )
        )
    return found
