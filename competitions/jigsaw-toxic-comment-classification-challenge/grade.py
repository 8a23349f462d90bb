"""Mean ROC AUC of the six labels over the scored test comments."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.metrics.classification import roc_auc


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    """Rows whose answers are negative are not scored; neither are rows that repeat the id of such a row."""
    labels = [name for name in answers.columns if name != "id"]
    truth, guess = answers[labels].to_numpy(), submission[labels].to_numpy()
    scored = truth.sum(axis=1) >= 0
    given = scored
    if not submission["id"].equals(answers["id"]):  # ids stand twice; rows come in ascending order of the ids
        given = submission["id"].isin(answers["id"][scored]).to_numpy()
        order = answers["id"].argsort()
        truth, guess, scored, given = truth[order], guess[order], scored[order], given[order]
    if given.sum() != scored.sum():
        raise InvalidSubmissionError(Reason.DUPLICATE_IDS, "Ids occur more than once; give every id one row.")
    return float(np.mean([roc_auc(truth[scored, i], guess[given, i]) for i in range(len(labels))]))
