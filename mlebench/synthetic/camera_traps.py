"""Made-up photographs of camera traps: bursts at places with a background each, and what walks through them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colour_noise, encode
from mlebench.synthetic.species import SIDE, photograph
from mlebench.synthetic.text import hex_ids

EMPTY = 0
FIRST_DAY = pd.Timestamp("2012-01-01")


def bursts(rng: np.random.Generator, count: int, locations: Sequence[int], labels: Sequence[int]) -> pd.DataFrame:
    """One row a photograph of `count` bursts of one to three, in mixed order.

    Columns: id, seq_id (both in the form of a UUID), seq_num_frames, frame_num (from 1), location, label and time.
    Locations and labels are equally frequent.
    """
    frames = rng.integers(1, 4, count)
    photographs = int(frames.sum())
    ids = [_uuid(digits) for digits in hex_ids(rng, photographs + count, 32)]
    burst = np.repeat(np.arange(count), frames)
    number = np.arange(photographs) - np.repeat(np.cumsum(frames) - frames, frames)
    table = pd.DataFrame(
        {
            "id": ids[:photographs],
            "seq_id": np.array(ids[photographs:], dtype=object)[burst],
            "seq_num_frames": frames[burst],
            "frame_num": number + 1,
            "location": rng.permutation(np.resize(locations, count))[burst],
            "label": rng.permutation(np.resize(labels, count))[burst],
            "time": FIRST_DAY + pd.to_timedelta(rng.integers(0, 10**8, count)[burst] + number, unit="s"),
        }
    )
    return table.iloc[rng.permutation(photographs)].reset_index(drop=True)


def trap_photograph(rng: np.random.Generator, label: int, location: int) -> bytes:
    """A small JPEG: an ellipse of the label's colour on the location's background; nothing for label 0."""
    background = tuple(np.random.default_rng(location).uniform(60, 150, 3))
    if label == EMPTY:
        return encode(colour_noise(rng, SIDE, SIDE, background, spread=8), "JPEG", quality=90)
    return photograph(rng, label, background)


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
