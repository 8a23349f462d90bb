"""Clips of train.7z, noise included, 10 % to the test set (seed 0); test clips are numbered in drawn order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from mlebench.data.sevenzip import extract_7z
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    extract_7z(raw / "train.7z", public)
    audio = public / "train" / "audio"
    for path in sorted((public / "train").rglob("*")):
        if path.is_file() and not (path.suffix == ".wav" and path.is_relative_to(audio)):
            path.unlink()  # lists, licence and notes
    clips = sorted(audio.rglob("*.wav"), key=lambda path: f"{path.parent.name}_{path.name}")
    _, test = split_items(clips, 0.1)
    (public / "test" / "audio").mkdir(parents=True)
    names = [f"clip_{i:08d}.wav" for i in range(len(test))]
    # Written anew in the order of their names, and all before any original goes: the numbers of the archive's inodes
    # tell its order, which is that of the words.
    for name, clip in zip(names, test, strict=True):
        shutil.copyfile(clip, public / "test" / "audio" / name)
    for clip in test:
        clip.unlink()
    for folder in audio.iterdir():
        if not any(folder.iterdir()):
            folder.rmdir()
    answers = pd.DataFrame({"fname": names, "label": [clip.parent.name for clip in test]})
    write_csv(answers, private / "test.csv")
    write_csv(answers.assign(label="silence"), public / "sample_submission.csv")
