"""Made-up text: neutral filler words, and a few words that carry the signal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FILLER = [
    "the",
    "a",
    "of",
    "and",
    "to",
    "in",
    "it",
    "was",
    "that",
    "with",
    "for",
    "on",
    "as",
    "had",
    "at",
    "by",
    "this",
    "from",
    "but",
    "not",
    "which",
    "when",
    "there",
    "were",
    "they",
    "one",
    "all",
    "some",
    "time",
    "after",
    "before",
    "house",
    "night",
    "day",
    "hand",
    "door",
    "road",
    "river",
    "stone",
    "light",
    "wind",
    "voice",
    "words",
    "letter",
    "table",
    "people",
    "under",
    "over",
    "between",
    "against",
    "quite",
    "rather",
    "perhaps",
    "never",
    "always",
    "slowly",
    "again",
    "still",
    "long",
    "old",
    "small",
    "great",
    "strange",
]
"""Words without meaning for any label."""


def sentence(rng: np.random.Generator, signal: Sequence[str] = (), *, words: int = 12, share: float = 0.3) -> str:
    """About `words` words; each is a signal word with probability `share` (when there are any)."""
    count = max(3, int(rng.poisson(words)))
    chosen = [
        str(rng.choice(signal)) if len(signal) and rng.random() < share else str(rng.choice(FILLER))
        for _ in range(count)
    ]
    chosen[0] = chosen[0].capitalize()
    return " ".join(chosen)


def sentences(
    rng: np.random.Generator, count: int, *, words: int = 12, vocabulary: Sequence[str] = FILLER
) -> list[str]:
    """Many sentences of about `words` words each, drawn together so that a million of them take seconds."""
    sizes = np.maximum(3, rng.poisson(words, count))
    drawn = np.array(vocabulary, dtype=object)[rng.integers(0, len(vocabulary), int(sizes.sum()))]
    ends = np.cumsum(sizes).tolist()
    return [" ".join(drawn[end - size : end]).capitalize() for end, size in zip(ends, sizes.tolist(), strict=True)]


def hex_ids(rng: np.random.Generator, count: int, digits: int) -> list[str]:
    """Distinct random lower-case hexadecimal ids; never all digits, so that no reader takes one for a number."""
    ids: dict[str, None] = {}
    width = digits + digits % 2
    while len(ids) < count:
        text = rng.bytes((count - len(ids)) * width // 2).hex()
        drawn = (text[start : start + digits] for start in range(0, len(text), width))
        ids.update((one, None) for one in drawn if not set("abcdf").isdisjoint(one))
    return list(ids)
