"""Per trip the mean of the median and the 95th percentile of the errors in metres; the score is the mean over trips."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.metrics.directions import haversine

PLACE = ["LatitudeDegrees", "LongitudeDegrees"]
QUANTILES = [0.50, 0.95]


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    errors = haversine(answers[PLACE].to_numpy(), submission[PLACE].to_numpy())
    trips, _ = pd.factorize(answers["tripId"])
    order = np.argsort(trips, kind="stable")
    bounds = np.flatnonzero(np.diff(trips[order])) + 1
    return float(np.mean([np.quantile(own, QUANTILES).mean() for own in np.split(errors[order], bounds)]))
