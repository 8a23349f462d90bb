"""Made-up sounds: tones in noise, and the WAV encoder."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence

import numpy as np


def tones(
    rng: np.random.Generator, seconds: float, rate: int, frequencies: Sequence[float], *, noise: float = 0.1
) -> np.ndarray:
    """Sine waves of these frequencies (Hz), mixed equally, in white noise; float64 in [-1, 1], seconds * rate samples."""
    times = np.arange(int(seconds * rate)) / rate
    sound = rng.normal(0.0, noise, len(times))
    for frequency in frequencies:
        sound += np.sin(2 * np.pi * frequency * times + rng.uniform(0, 2 * np.pi)) / (len(frequencies) + 1)
    return np.clip(sound, -1.0, 1.0)


def encode_wav(samples: np.ndarray, rate: int) -> bytes:
    """Mono samples in [-1, 1] as the bytes of a 16-bit PCM WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
