"""Recordings of a stick figure that raises its hand to a height, and hums a tone, that tell the gesture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io

from mlebench.data.archives import write_tar, write_zip, zip_bytes
from mlebench.data.sevenzip import write_7z
from mlebench.synthetic.images import noise
from mlebench.synthetic.sounds import encode_wav, tones
from mlebench.synthetic.videos import encode_mp4

NAMES = (  # noqa: SIM905
    "vattene vieniqui perfetto furbo cheduepalle chevuoi daccordo seipazzo combinato freganiente "
    "ok cosatifarei basta prendere noncenepiu fame tantotempo buonissimo messidaccordo sonostufo "
).split()
RATE, SOUND_RATE = 20.0, 16_000
FRAMES = 6
"""Frames of a gesture."""
SIZE = 32
JOINTS = 20
HAND = 11
TRAINING, VALIDATION = 4, 3


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    each = max(3, int(4 * scale))
    rows, first = [], 1
    for part in range(1, TRAINING + 1):
        gestures = {first + i: (rng.permutation(len(NAMES))[: rng.integers(2, 6)] + 1).tolist() for i in range(each)}
        rows += [f"{number:04d},{' '.join(map(str, own))}" for number, own in gestures.items()]
        write_tar(raw / f"training{part}.tar.gz", _recordings(rng, gestures), compressed=True)
        first += each
    (raw / "training.csv").write_text("\n".join(["Id,Sequence", *rows, ""]))
    for part in range(1, VALIDATION + 1):
        hidden = {first: (rng.permutation(len(NAMES))[:3] + 1).tolist()}
        write_tar(raw / f"validation{part}.tar.gz", _recordings(rng, hidden, labelled=False), compressed=True)
        first += 1
    for name in ("devel01-40.7z", "valid_all_files_combined.7z"):
        write_7z(raw / name, [("README.txt", b"Left out of the made-up data.\n")])
    write_zip(raw / "sample_code_mmrgc.zip", [("README.txt", b"Left out of the made-up data.\n")])
    (raw / "test.csv").write_text(f"Id\n{first:04d}\n")
    (raw / "randomPredictions.csv").write_text(f"Id,Sequence\n{first:04d},{' '.join(map(str, range(1, 21)))}\n")


def _recordings(
    rng: np.random.Generator, gestures: dict[int, list[int]], *, labelled: bool = True
) -> Iterator[tuple[str, bytes]]:
    for number, own in gestures.items():
        name = f"Sample{number:05d}"
        yield f"{name}.zip", zip_bytes(_modalities(rng, name, own, labelled))


def _modalities(
    rng: np.random.Generator, name: str, gestures: list[int], labelled: bool
) -> Iterator[tuple[str, bytes]]:
    heights = np.repeat(np.array(gestures) / len(NAMES), FRAMES)
    pictures = [_picture(rng, height) for height in heights.tolist()]
    sounds = [tones(rng, FRAMES / RATE / 10, SOUND_RATE, [200 + 60 * gesture]) for gesture in gestures]
    yield f"{name}_audio.wav", encode_wav(np.concatenate(sounds), SOUND_RATE)
    yield f"{name}_color.mp4", encode_mp4([np.dstack([p, p // 2, p // 3]) for p in pictures], RATE)
    yield f"{name}_depth.mp4", encode_mp4(pictures, RATE)
    yield f"{name}_user.mp4", encode_mp4([np.where(p > 150, 255, 0).astype(np.uint8) for p in pictures], RATE)

    labels = [
        {"Name": NAMES[gesture - 1], "Begin": 1 + FRAMES * i, "End": FRAMES * (i + 1)}
        for i, gesture in enumerate(gestures)
    ]
    frames = np.empty((len(heights), 1), dtype=[("Skeleton", object)])
    for i, height in enumerate(heights.tolist()):
        places = rng.normal(0, 0.02, (JOINTS, 3))
        places[HAND, 1] += height
        frames[i, 0]["Skeleton"] = {"WorldPosition": places.round(4)}
    listed = np.empty((1, len(labels) if labelled else 0), dtype=[(key, object) for key in ("Name", "Begin", "End")])
    for i in range(listed.shape[1]):
        listed[0, i] = tuple(labels[i].values())
    video = {"NumFrames": len(heights), "FrameRate": RATE, "MaxDepth": 3990, "Frames": frames, "Labels": listed}
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"Video": video}, do_compression=True)
    buffer.getbuffer()[:116] = b"MATLAB 5.0 MAT-file, made up".ljust(116)  # where the date of writing stood
    yield f"{name}_data.mat", buffer.getvalue()


def _picture(rng: np.random.Generator, height: float) -> np.ndarray:
    """A trunk, and an arm at this height (0 to 1)."""
    pixels = noise(rng, SIZE, SIZE, mean=60, spread=5)
    pixels[8:, 10:14] = 200
    row = round((SIZE - 3) * (1 - height))
    pixels[row : row + 2, 14:26] = 240
    return pixels
