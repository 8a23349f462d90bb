"""Metrics for classes and class probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlebench.metrics import UndefinedMetricError


def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Share of rows whose prediction equals the truth.

    accuracy = (1/n) * sum(1[y_true_i == y_pred_i]); shapes (n,), any type that compares with ==; range [0, 1].
    """
    truth, guess = np.asarray(y_true), np.asarray(y_pred)
    if truth.size == 0:
        raise UndefinedMetricError("accuracy of no rows")
    return float(np.mean(truth == guess))


def roc_auc(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Area under the ROC curve of a binary label, ties counted half.

    With average ranks r of the scores: AUC = (sum of r over positives - P (P + 1) / 2) / (P N) for P positives and
    N negatives (the Mann-Whitney statistic). Shapes (n,) or (n, k) pooled; y_true in {0, 1}; range [0, 1].
    Raises UndefinedMetricError when only one class occurs.
    """
    truth = np.asarray(y_true).ravel().astype(bool)
    scores = np.asarray(y_pred, dtype=np.float64).ravel()
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        raise UndefinedMetricError("the area under the ROC curve needs both classes in the answers")
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    # Every run of equal scores shares the mean of its 1-based ranks.
    ends = np.r_[starts[1:], truth.size]
    mean_ranks = (starts + ends + 1) / 2.0
    positives_in_run = np.add.reduceat(truth[order].astype(np.int64), starts)
    rank_sum = float(np.dot(mean_ranks, positives_in_run))
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def average_precision(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Area under the step-wise precision-recall curve of a binary label.

    AP = sum_n (R_n - R_{n-1}) P_n, with P_n, R_n the precision and recall of all rows that score at least the n-th
    highest distinct score. Shapes (n,); y_true in {0, 1}; range [0, 1]. This is scikit-learn's
    average_precision_score. Raises UndefinedMetricError when no row is positive.
    """
    truth = np.asarray(y_true).ravel().astype(bool)
    scores = np.asarray(y_pred, dtype=np.float64).ravel()
    if not truth.any():
        raise UndefinedMetricError("average precision needs a positive row in the answers")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    hits = np.cumsum(truth[order])[last]
    return float(np.sum(np.diff(hits, prepend=0) * hits / (last + 1)) / hits[-1])


def log_loss(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, eps: float = float(np.finfo(np.float64).eps)) -> float:
    """Multi-class logarithmic loss of one-hot truth against class probabilities.

    log_loss = -(1/n) * sum_i ln p(i, true class of i), with p clipped to [eps, 1 - eps]; shapes (n, k) both, or
    (n,) both for a binary label and its probability. Rows are taken as they are (not rescaled); range [0, inf).
    """
    truth = np.asarray(y_true, dtype=np.float64)
    probabilities = np.clip(np.asarray(y_pred, dtype=np.float64), eps, 1.0 - eps)
    if truth.size == 0:
        raise UndefinedMetricError("log loss of no rows")
    if truth.ndim == 1:
        losses = -(truth * np.log(probabilities) + (1.0 - truth) * np.log1p(-probabilities))
    else:
        losses = -np.sum(truth * np.log(probabilities), axis=1)
    return float(np.mean(losses))


def quadratic_weighted_kappa(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Cohen's kappa with quadratic weights, for ordered classes.

    kappa = 1 - sum(w O) / sum(w E), with O the table of true against predicted class, E the product of its margins
    over n, and w_ij = (i - j)^2 for the places i and j of the classes among all those that occur in truth or
    prediction (places, not values, as in scikit-learn). Shapes (n,), whole numbers; range [-1, 1].
    Raises UndefinedMetricError when one class alone occurs.
    """
    truth, guess = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    classes, places = np.unique(np.concatenate((truth, guess)), return_inverse=True)
    if len(classes) < 2:
        raise UndefinedMetricError("kappa needs at least two classes in answers and predictions")
    true_places, guess_places = places[: truth.size].astype(np.float64), places[truth.size :].astype(np.float64)
    observed = np.square(true_places - guess_places).mean()
    # The mean of (i - j)^2 over all pairs of a true and a predicted row, without the table of all of them.
    expected = (
        np.square(true_places).mean() + np.square(guess_places).mean() - 2 * true_places.mean() * guess_places.mean()
    )
    return float(1.0 - observed / expected)


def macro_f1(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, truncate: bool = False) -> float:
    """Unweighted mean over classes of the F1 score; every class weighs the same, however rare.

    macro F1 = mean over classes c of 2 TP_c / (true_c + predicted_c), where the classes are all labels that occur in
    truth or prediction: a predicted class without any true row adds a zero. With `truncate` numbers are cut to whole
    ones first (2.7 is class 2), as graders do that call int(). Shapes (n,), any labels that sort; range [0, 1].
    """
    truth, guess = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    if truth.size == 0:
        raise UndefinedMetricError("macro F1 of no rows")
    if truncate:
        truth, guess = np.trunc(truth), np.trunc(guess)
    classes, places = np.unique(np.concatenate((truth, guess)), return_inverse=True)
    true_places, guess_places = places[: truth.size], places[truth.size :]
    hits = np.bincount(true_places[true_places == guess_places], minlength=len(classes))
    return float(np.mean(2.0 * hits / np.bincount(places, minlength=len(classes))))


def probabilistic_f1(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """F1 of likelihoods of a binary label, without a threshold.

    With pTP and pFP the sums of the likelihoods (clipped to [0, 1]) over positive and negative rows, and P positives:
    precision = pTP / (pTP + pFP), recall = pTP / P, pF1 = 2 precision recall / (precision + recall), and 0 where
    either is not above 0, as with likelihoods that are all 0 or NaN. Shapes (n,), y_true in {0, 1}; range [0, 1].
    Reference: Yacouby and Axman (2020), Probabilistic Extension of Precision, Recall, and F1 Score.
    """
    truth = np.asarray(y_true).ravel().astype(bool)
    likelihoods = np.clip(np.asarray(y_pred, dtype=np.float64).ravel(), 0.0, 1.0)
    positives = int(truth.sum())
    if not positives:
        raise UndefinedMetricError("probabilistic F1 needs positive rows in the answers")
    found, wrong = float(likelihoods[truth].sum()), float(likelihoods[~truth].sum())
    if not (found > 0 and wrong >= 0):  # nothing found, or NaN
        return 0.0
    precision, recall = found / (found + wrong), found / positives
    return 2.0 * precision * recall / (precision + recall)


def weighted_label_log_loss(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    positive_weights: npt.ArrayLike,
    negative_weights: npt.ArrayLike,
    eps: float = 1e-15,
) -> float:
    """Log loss of several binary labels a row, each with a weight when it is true and another when it is not.

    loss_i = sum_j w_ij l_ij / sum_j w_ij with l_ij = -(y ln p + (1 - y) ln(1 - p)), p clipped to [eps, 1 - eps], and
    w_ij = positive_weights[j] where y = 1, else negative_weights[j]; the score is the mean of loss_i. Shapes (n, k)
    both, weights (k,); range [0, inf).
    """
    truth = np.asarray(y_true).astype(bool)
    if truth.size == 0:
        raise UndefinedMetricError("log loss of no rows")
    p = np.clip(np.asarray(y_pred, dtype=np.float64), eps, 1.0 - eps)
    losses = -np.log(np.where(truth, p, 1.0 - p))
    weights = np.where(truth, np.asarray(positive_weights, np.float64), np.asarray(negative_weights, np.float64))
    return float(np.mean((weights * losses).sum(axis=1) / weights.sum(axis=1)))


def matthews(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Matthews correlation coefficient, for two classes or more.

    With c rows right out of n, t_k rows of class k and p_k predictions of it:
    MCC = (c n - sum t_k p_k) / sqrt((n^2 - sum p_k^2) (n^2 - sum t_k^2)), and 0 where the denominator is 0; for two
    classes (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)). Shapes (n,); range [-1, 1].
    """
    truth, guess = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    if truth.size == 0:
        raise UndefinedMetricError("correlation of no rows")
    classes, places = np.unique(np.concatenate((truth, guess)), return_inverse=True)
    true_counts = np.bincount(places[: truth.size], minlength=len(classes)).astype(np.float64)
    counts = np.bincount(places[truth.size :], minlength=len(classes)).astype(np.float64)
    n = float(truth.size)
    spread = (n * n - counts @ counts) * (n * n - true_counts @ true_counts)
    right = float((truth == guess).sum())
    return float((right * n - true_counts @ counts) / np.sqrt(spread)) if spread else 0.0


def kl_divergence(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, eps: float = 1e-15) -> float:
    """Mean Kullback-Leibler divergence of predicted from true class shares, natural logarithm.

    mean over rows of sum over classes with y > 0 of y * ln(y / p), p clipped to [eps, 1 - eps]; a term whose
    prediction is missing (NaN) counts as 0. Shapes (n, k); range about [0, inf) where nothing is missing.
    """
    truth = np.asarray(y_true, dtype=np.float64)
    guess = np.clip(np.asarray(y_pred, dtype=np.float64), eps, 1.0 - eps)
    if truth.size == 0:
        raise UndefinedMetricError("divergence of no rows")
    terms = np.zeros_like(truth)
    some = truth != 0
    terms[some] = truth[some] * np.log(truth[some] / guess[some])
    return float(np.mean(np.nansum(terms, axis=1)))
