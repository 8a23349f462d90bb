"""Made-up sounds: tones in noise, and encoders for WAV and AIFF."""

from __future__ import annotations

import io
import struct
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


def sweep(seconds: float, rate: int, low: float, high: float) -> np.ndarray:
    """A sine wave whose frequency rises evenly from `low` to `high` Hz; float64 in [-1, 1]."""
    times = np.arange(int(seconds * rate)) / rate
    return np.sin(2 * np.pi * (low * times + (high - low) * times**2 / (2 * seconds)))


def encode_aiff(samples: np.ndarray, rate: int) -> bytes:
    """Mono samples in [-1, 1] as the bytes of a 16-bit AIFF file."""
    frames = np.rint(samples * 32767).astype(">i2").tobytes()
    # The rate is an 80-bit float: exponent, then a mantissa whose first bit is 1.
    exponent = rate.bit_length() - 1
    about = struct.pack(">hIhHQ", 1, len(samples), 16, 16383 + exponent, rate << (63 - exponent))
    sound = struct.pack(">II", 0, 0) + frames
    chunks = b"".join(
        struct.pack(">4sI", kind, len(content)) + content for kind, content in ((b"COMM", about), (b"SSND", sound))
    )
    return struct.pack(">4sI4s", b"FORM", 4 + len(chunks), b"AIFF") + chunks
