"""Lines of train_v2.txt; about 1 % become test sentences that lack one of their inner words.

For each line, in file order, RandomState(0) draws a coin; a line whose coin is at most 0.01 and that has more than
two words is a test sentence, and the same generator then draws which word to take out.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from mlebench.data.archives import create_zip, open_member

SHARE = 0.01
COINS = 128
"""Coins drawn at a time: on average one in a hundred lines is a test sentence."""
BLOCK = 16 * 2**20
HEADER = b'"id","sentence"\n'


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with (
        open_member(raw / "train_v2.txt.zip", "train_v2.txt") as source,
        create_zip(public / "train_v2.txt.zip", "train_v2.txt", level=1) as train,
        (private / "test.csv").open("wb") as answers,
        (private / "sample_submission.csv").open("wb") as test,
    ):
        answers.write(HEADER)
        test.write(HEADER)
        _split(source, train, answers, test)
    with (
        create_zip(public / "test_v2.txt.zip", "test_v2.txt") as zipped,
        (private / "sample_submission.csv").open("rb") as test,
    ):
        while block := test.read(BLOCK):
            zipped.write(block)


def _split(source: IO[bytes], train: IO[bytes], answers: IO[bytes], test: IO[bytes]) -> None:
    rng = np.random.RandomState(0)
    chosen = _next_chosen(rng, 0)
    first = count = 0
    for block in _blocks(source):
        ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")) + 1
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(block))
        written = 0
        while chosen < first + len(ends):
            at = chosen - first
            start, end = int(ends[at - 1]) if at else 0, int(ends[at])
            sentence = block[start:end].decode("utf-8").strip().replace('"', '""')
            words = sentence.split()
            if len(words) > 2:
                train.write(block[written:start])
                written = end
                del words[rng.randint(1, len(words) - 1)]
                answers.write(f'{count},"{sentence}"\n'.encode())
                test.write(f'{count},"{" ".join(words)}"\n'.encode())
                count += 1
            chosen = _next_chosen(rng, chosen + 1)
        train.write(block[written:])
        first += len(ends)


def _next_chosen(rng: np.random.RandomState, line: int) -> int:
    """The next line, from this one on, whose coin chooses it; the generator has then drawn no coin beyond it."""
    while True:
        before = rng.get_state(legacy=False)
        chosen = np.flatnonzero(rng.uniform(size=COINS) <= SHARE)
        if chosen.size:
            rng.set_state(before)
            rng.uniform(size=chosen[0] + 1)
            return line + int(chosen[0])
        line += COINS


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    """Large pieces of whole lines, whatever their line ends were; the last line may lack its end."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(), translate=True)
    rest = b""
    while piece := source.read(BLOCK):
        block = rest + decoder.decode(piece).encode("utf-8")
        cut = block.rfind(b"\n") + 1
        rest = block[cut:]
        if cut:
            yield block[:cut]
    if last := rest + decoder.decode(b"", final=True).encode("utf-8"):
        yield last
