"""Made-up sentences of tokens with their spoken form, as the text normalization challenges have them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip

Token = tuple[str, str, str]
"""Class, written form, spoken form."""
TOKENS_PER_SENTENCE = 8


def write_normalization_raw(
    raw: Path,
    rng: np.random.Generator,
    sentences: int,
    *,
    language: str,
    plain: Sequence[str],
    spoken: Mapping[str, Sequence[Token]],
) -> None:
    """Write Kaggle's zips: mostly `plain` words, which stay as they are, one token in four of `spoken`, then a stop.

    `spoken` maps a name to the tokens of one kind; kinds are equally frequent.
    """
    words = [("PLAIN", word, word) for word in plain]
    special = [token for kind in spoken.values() for token in kind]
    weights = np.concatenate([np.full(len(kind), 1.0 / len(kind) / len(spoken)) for kind in spoken.values()])
    table = pd.DataFrame([*words, *special, ("PUNCT", ".", ".")], columns=["class", "before", "after"])

    shape = (sentences, TOKENS_PER_SENTENCE)
    choice = rng.integers(0, len(words), shape)
    other = len(words) + rng.choice(len(special), shape, p=weights)
    choice = np.where(rng.random(shape) < 0.25, other, choice)
    choice[:, -1] = len(table) - 1
    tokens = table.iloc[choice.ravel()].reset_index(drop=True)
    tokens.insert(0, "sentence_id", np.repeat(np.arange(sentences), TOKENS_PER_SENTENCE))
    tokens.insert(1, "token_id", np.tile(np.arange(TOKENS_PER_SENTENCE), sentences))

    hidden = tokens[["sentence_id", "token_id", "before"]].head(20 * TOKENS_PER_SENTENCE)
    ids = hidden["sentence_id"].astype(str) + "_" + hidden["token_id"].astype(str)
    sample = pd.DataFrame({"id": ids, "after": hidden["before"]})
    for stage in ("", "_2"):
        _write(raw, f"{language}_test{stage}.csv", hidden)
        _write(raw, f"{language}_sample_submission{stage}.csv", sample)
    _write(raw, f"{language}_train.csv", tokens)


def _write(raw: Path, name: str, table: pd.DataFrame) -> None:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, quoting=csv.QUOTE_NONNUMERIC)
    write_zip(raw / f"{name}.zip", [(name, buffer.getvalue().encode())])
