"""The format only; the metric is the declared one."""

from __future__ import annotations

import pandas as pd

from mlebench.formats.words import check_words


def check(submission: pd.DataFrame) -> None:
    check_words(submission["species"], "species")
