"""Utterances of phonemes that last a few frames each; a frame's 39 values are noise around its phoneme's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PHONEMES = 39
FEATURES = 39
WINDOW = 11
FRAMES_PER_UTTERANCE = 80
FRAMES_PER_PHONEME = 6


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    folder = raw / "timit_11" / "timit_11"
    folder.mkdir(parents=True)
    centres = rng.normal(0, 1.0, (PHONEMES, FEATURES)).astype(np.float32)
    windows, labels = _utterances(rng, centres, max(2, int(12 * scale)))
    np.save(folder / "train_11.npy", windows)
    np.save(folder / "train_label_11.npy", labels.astype(str))
    windows, _ = _utterances(rng, centres, max(1, int(4 * scale)))
    np.save(folder / "test_11.npy", windows)
    sample = pd.DataFrame({"Id": range(len(windows)), "ClassId": 0})
    sample.to_csv(raw / "sampleSubmission.csv", index=False)


def _utterances(rng: np.random.Generator, centres: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of `count` utterances, one after another, and the phoneme in the middle of each."""
    shape = (count, -(-FRAMES_PER_UTTERANCE // FRAMES_PER_PHONEME))
    phonemes = np.repeat(rng.integers(0, PHONEMES, shape), FRAMES_PER_PHONEME, axis=1)[:, :FRAMES_PER_UTTERANCE]
    noise = rng.standard_normal((*phonemes.shape, FEATURES), dtype=np.float32)
    frames = centres[phonemes] + np.float32(0.7) * noise
    # The first and the last frame stand in for what lies beyond the utterance.
    padded = np.pad(frames, ((0, 0), (WINDOW // 2, WINDOW // 2), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1).transpose(0, 1, 3, 2)
    return windows.reshape(-1, WINDOW * FEATURES), phonemes.ravel()
