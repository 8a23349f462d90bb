"""Two seconds of sea noise on four days; a whale's call is a tone that rises from 80 to 200 Hz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.data.archives import write_zip
from mlebench.synthetic.sounds import encode_aiff, sweep

RATE = 2000
SECONDS = 2.0
DAYS = (28, 29, 30, 31)
CALLS = 0.15


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(80 * scale))
    names, labels = [], rng.random((len(DAYS), n)) < CALLS
    labels[:, :2] = (False, True)  # every day has both
    for day, calls in zip(DAYS, labels.tolist(), strict=True):
        starts = np.sort(rng.choice(80_000, n, replace=False)).tolist()
        for start, call in zip(starts, calls, strict=True):
            hour, offset = divmod(start, 3600)
            place = f"{offset:03d}s{int(rng.integers(0, 10))}ms"
            names.append((f"200903{day}_{hour:02d}0000_{place}", int(call)))
    clips = ((f"train2/{name}_TRAIN{i}_{call}.aif", _clip(rng, bool(call))) for i, (name, call) in enumerate(names))
    write_zip(raw / "train2.zip", clips)
    others = [f"20090401_000000_{i:03d}s0ms_Test{i}.aif" for i in range(3)]
    write_zip(raw / "test2.zip", ((f"test2/{name}", _clip(rng, False)) for name in others))
    (raw / "sampleSubmission.csv").write_text("clip,probability\n" + "".join(f"{name},0\n" for name in others))


def _clip(rng: np.random.Generator, call: bool) -> bytes:
    sound = rng.normal(0, 0.1, int(SECONDS * RATE))
    if call:
        start = int(rng.integers(0, len(sound) // 2))
        rising = sweep(1.0, RATE, 80, 200) * np.hanning(RATE) * 0.4
        sound[start : start + RATE] += rising
    return encode_aiff(sound.clip(-1, 1), RATE)
