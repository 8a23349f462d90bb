"""English sentences with numbers, years, money, measures and letters whose spoken form follows fixed rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.synthetic.text import FILLER
from mlebench.synthetic.tokens import write_normalization_raw

ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def _words(number: int) -> str:
    """A number from 0 to 99 in words."""
    if number < 20:
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens - 2] + (f" {ONES[ones]}" if ones else "")


SPOKEN = {
    "numbers": [("CARDINAL", str(n), _words(n)) for n in range(1, 100)],
    "years": [("DATE", str(1900 + n), f"nineteen {_words(n)}") for n in range(10, 100)],
    "money": [("MONEY", f"${n}", f"{_words(n)} dollars") for n in range(2, 60)],
    "measures": [("MEASURE", f"{n} km", f"{_words(n)} kilometers") for n in range(2, 60)],
    "letters": [("LETTERS", word, " ".join(word.lower())) for word in ("BBC", "NA", "USA", "UK", "NBA", "TV")],
    # Words that a table reader may take for a missing cell, and characters that need quoting.
    "awkward": [("PLAIN", "null", "null"), ("PLAIN", "None", "None"), ("PUNCT", ",", ","), ("PUNCT", '"', '"')],
}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    sentences = max(30, int(1500 * scale))
    write_normalization_raw(raw, rng, sentences, language="en", plain=FILLER, spoken=SPOKEN)
