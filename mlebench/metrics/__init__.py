"""Metrics: pure functions over arrays, `metric(y_true, y_pred, *, options) -> float`.

One module a family; this table is the one place that maps a declared name to its function, imported on use.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

METRICS: dict[str, str] = {
    "accuracy": "classification",
    "average_precision": "classification",
    "banded_roc_auc": "roc_bands",
    "exact_match": "text",
    "label_set_f1": "text",
    "label_weighted_lrap": "ranking",
    "levenshtein": "text",
    "log_loss": "classification",
    "macro_f1": "classification",
    "mae": "regression",
    "matthews": "classification",
    "mean_angular_error": "directions",
    "mean_average_precision": "ranking",
    "pearson": "correlation",
    "pooled_kendall_tau": "ranking",
    "probabilistic_f1": "classification",
    "quadratic_weighted_kappa": "classification",
    "rmse": "regression",
    "rmsle": "regression",
    "roc_auc": "classification",
    "spearman": "correlation",
    "word_jaccard": "text",
}
"""Declared metric name -> module of this package that defines the function of the same name."""


class UndefinedMetricError(ValueError):
    """The metric has no value on this input (one class only, nothing to compare, out of its domain)."""


def get_metric(name: str) -> Callable[..., float]:
    """The function of this name; KeyError for a name that no module defines."""
    return getattr(import_module(f"{__name__}.{METRICS[name]}"), name)
