"""Sentences made from a few templates, so that a missing word can be told from its neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.data.archives import create_zip

TEMPLATES = [
    "The {who} said on {day} that the {what} was {how} .",
    'On {day} , the {who} told reporters : " The {what} is {how} . "',
    "A {how} {what} was found by the {who} , police said .",
    "The {who} of Málaga had seen no {how} {what} since {day} .",
]
WORDS = {
    "who": ["minister", "teacher", "driver", "mayor", "doctor"],
    "what": ["bridge", "report", "window", "garden", "ticket"],
    "day": ["Monday", "Tuesday", "Friday", "Sunday"],
    "how": ["new", "broken", "large", "empty", "costly"],
}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(3_000, int(6_000 * scale))
    known = np.array(
        [
            template.format(who=who, what=what, day=day, how=how)
            for template in TEMPLATES
            for who in WORDS["who"]
            for what in WORDS["what"]
            for day in WORDS["day"]
            for how in WORDS["how"]
        ]
        + ["Yes .", "Stop !", "Two\N{NO-BREAK SPACE}blanks  between these words ."],
        dtype=object,
    )
    lines = known[rng.integers(0, len(known), n)].tolist()
    lines[5:7] = ["Yes .", "Stop"]  # too short to lose a word
    with create_zip(raw / "train_v2.txt.zip", "train_v2.txt") as out:
        out.write(("\n".join(lines) + "\n").encode())
    with create_zip(raw / "test_v2.txt.zip", "test_v2.txt") as out:
        out.write(b'"id","sentence"\n0,"The minister said that the bridge was new ."\n')
