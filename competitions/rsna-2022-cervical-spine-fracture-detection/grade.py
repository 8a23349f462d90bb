"""Log loss of a study's eight labels, weighted; the long table becomes one row a study."""

from __future__ import annotations

import pandas as pd

from mlebench.metrics.classification import weighted_label_log_loss

LABELS = ["patient_overall", "C1", "C2", "C3", "C4", "C5", "C6", "C7"]
POSITIVE_WEIGHTS = [14, 2, 2, 2, 2, 2, 2, 2]
NEGATIVE_WEIGHTS = [7, 1, 1, 1, 1, 1, 1, 1]


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth = answers["fractured"].to_numpy()
    wide = answers[["StudyInstanceUID", "prediction_type"]].assign(row=range(len(answers)))
    rows = wide.pivot(index="StudyInstanceUID", columns="prediction_type", values="row")[LABELS].to_numpy()
    return weighted_label_log_loss(
        truth[rows],
        submission["fractured"].to_numpy()[rows],
        positive_weights=POSITIVE_WEIGHTS,
        negative_weights=NEGATIVE_WEIGHTS,
    )
