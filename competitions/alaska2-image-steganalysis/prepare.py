"""A fifteenth of the covers (seed 42) to the test set, each shown once, as it is or with a hidden message."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mlebench.data.files import copy, link_all
from mlebench.data.raw_files import list_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv

COVER = "Cover"
METHODS = ("JMiPOD", "JUNIWARD", "UERD")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    covers = sorted(path.name for path in list_raw(raw / COVER, "*.jpg"))
    train, test = split_items(covers, len(covers) // 15, seed=42)
    for folder in (COVER, *METHODS):
        link_all((raw / folder / name, public / folder / f"{k:05d}.jpg") for k, name in enumerate(train, 1))
    shown = choose_variants(test)
    answers = pd.DataFrame(
        {
            "Id": [f"{k:04d}.jpg" for k in range(1, len(shown) + 1)],
            "Label": [int(folder != COVER) for folder, _ in shown],
        }
    )
    (public / "Test").mkdir()
    for (folder, name), target in zip(shown, answers["Id"], strict=True):
        # Copied, not linked: the inode and the times of a raw file tell its folder, which is the label.
        copy(raw / folder / name, public / "Test" / target)
    write_csv(answers, private / "test.csv")
    write_csv(answers.assign(Label=0), public / "sample_submission.csv")


def choose_variants(names: Sequence[str]) -> list[tuple[str, str]]:
    """Folder and name of each test picture, shuffled: half are covers, the others one of the methods."""
    draw = random.Random(0)
    names = list(names)
    draw.shuffle(names)
    return [(COVER if draw.choice([True, False]) else draw.choice(METHODS), name) for name in names]
