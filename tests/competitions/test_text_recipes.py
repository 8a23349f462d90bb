"""Recipes over large texts against straightforward loops over their lines."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mlebench.data.archives import create_zip
from mlebench.registry import Registry


def naive_imputation(lines: list[str]) -> tuple[str, str, str]:
    """Train, answers and test as the fact sheet words it: a coin per line, then a word."""
    rng = np.random.RandomState(0)
    train, answers, test, count = "", '"id","sentence"\n', '"id","sentence"\n', 0
    for line in lines:
        coin = rng.uniform()
        if coin <= 0.01 and len(line.strip().split()) > 2:
            sentence = line.strip().replace('"', '""')
            words = sentence.split()
            gone = rng.randint(1, len(words) - 1)
            answers += f'{count},"{sentence}"\n'
            test += f'{count},"{" ".join(words[:gone] + words[gone + 1 :])}"\n'
            count += 1
        else:
            train += line
    return train, answers, test


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block", [50, 1 << 20])
def test_imputation_equals_a_loop_over_lines(tmp_path: Path, monkeypatch, end: str, block: int) -> None:
    rng = np.random.default_rng(5)
    words = np.array(["a", "é", '"', "of\u00a0it", "x  y", ".", "long-word"], dtype=object)
    lines = [" ".join(words[rng.integers(0, 7, rng.integers(0, 8))]) for _ in range(4000)]
    raw, public, private = (tmp_path / name for name in ("raw", "public", "private"))
    for folder in (raw, public, private):
        folder.mkdir()
    with create_zip(raw / "train_v2.txt.zip", "train_v2.txt") as out:
        out.write(end.join(lines).encode())  # the last line has no end
    competition = Registry().get("billion-word-imputation")
    recipe = competition._module("prepare.py")
    monkeypatch.setattr(recipe, "BLOCK", block)
    recipe.prepare(raw, public, private)
    train, answers, test = naive_imputation([line + "\n" for line in lines[:-1]] + lines[-1:])
    assert zipfile.ZipFile(public / "train_v2.txt.zip").read("train_v2.txt").decode() == train
    assert zipfile.ZipFile(public / "test_v2.txt.zip").read("test_v2.txt").decode() == test
    assert (private / "sample_submission.csv").read_text() == test
    assert (private / "test.csv").read_text() == answers
    assert answers.count("\n") > 20
