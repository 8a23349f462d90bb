"""Decimal texts as pandas 1 and 2 read them by default: quick, and off by one last digit now and then.

Some published recipes read their tables in that way, and v1 promises their bytes. (pandas 3 always reads exactly.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

_DECIMAL = re.compile(r"\s*([+-]?)(\d+)(?:\.(\d*))?\s*")
_MOST_DIGITS = 17
_EXACT_DIGITS = 15


def quick_floats(texts: Iterable[object]) -> np.ndarray:
    """Plain decimals such as -122.0941; other texts are read exactly, missing ones are NaN. Shape (n,)."""
    return np.array([_quick_float(str(text)) for text in texts], dtype=np.float64)


def _quick_float(text: str) -> float:
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return float(text)
    sign, whole, fraction = found.group(1), found.group(2), found.group(3) or ""
    digits = (whole + fraction)[:_MOST_DIGITS]
    number = float(int(digits[:_EXACT_DIGITS]))
    for digit in digits[_EXACT_DIGITS:]:
        number = number * 10.0 + int(digit)  # rounded each time
    exponent = len(whole) - len(digits)
    number = number * float(f"1e{exponent}") if exponent > 0 else number / float(f"1e{-exponent}")
    return -number if sign == "-" else number
