"""How a submission is refused: for its first bad row, in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlebench.errors import InvalidSubmissionError, Reason


def refuse(bad: np.ndarray, reason: Reason, sentence: Callable[[int], str]) -> None:
    """Raise InvalidSubmissionError with `reason` for the first row where `bad` is true; `sentence` tells of that row."""
    if bad.any():
        raise InvalidSubmissionError(reason, sentence(int(np.argmax(bad))))


def key_text(key: object) -> str:
    """An id or a cell as a sentence shows it: in quotes, cut at 60 characters."""
    text = str(key).replace("\x1f", ", ")
    return repr(text if len(text) <= 60 else text[:57] + "...")
