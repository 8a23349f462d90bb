"""Words as tones of their own pitch, spoken by people who speak louder or softer, and a little background noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlebench.data.sevenzip import write_7z
from mlebench.synthetic.sounds import encode_wav, tones
from mlebench.synthetic.text import hex_ids

RATE = 16_000
COMMANDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
OTHERS = ["bed", "bird", "cat", "dog", "eight", "five", "four", "happy", "house", "marvin"]
NOISES = ("doing_the_dishes", "dude_miaowing", "exercise_bike", "pink_noise", "running_tap", "white_noise")


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    speakers = hex_ids(rng, max(12, int(12 * scale)), 8)
    write_7z(raw / "train.7z", _train(rng, speakers, 0.1 if scale <= 4 else 1.0))
    test = [f"clip_{number:09x}.wav" for number in range(3)]
    write_7z(raw / "test.7z", [(f"test/audio/{name}", encode_wav(tones(rng, 0.1, RATE, [400]), RATE)) for name in test])
    sample = "".join(f"{name},silence\n" for name in test)
    write_7z(raw / "sample_submission.7z", [("sample_submission.csv", f"fname,label\n{sample}".encode())])
    (raw / "link_to_gcp_credits_form.txt").write_text("No credits for made-up data.\n")


def _train(rng: np.random.Generator, speakers: list[str], seconds: float) -> Iterator[tuple[str, bytes]]:
    for name in ("LICENSE", "README.md", "testing_list.txt", "validation_list.txt"):
        yield f"train/{name}", b"Made up.\n"
    yield "train/audio/_background_noise_/README.md", b"Made up.\n"
    for name in NOISES:
        noise = rng.normal(0, 0.1, int(2.0 * RATE * 0.1 if seconds < 1 else 60 * RATE)).clip(-1, 1)
        yield f"train/audio/_background_noise_/{name}.wav", encode_wav(noise, RATE)
    for place, word in enumerate(COMMANDS + OTHERS):
        for speaker in speakers:
            for repetition in range(int(rng.integers(1, 3))):
                sound = tones(rng, seconds, RATE, [250 * 1.15**place], noise=0.05) * rng.uniform(0.3, 1.0)
                yield f"train/audio/{word}/{speaker}_nohash_{repetition}.wav", encode_wav(sound, RATE)
