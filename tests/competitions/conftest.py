"""Competitions made ready for tests that look closer than the contract does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path

import pandas as pd
import pytest

from mlebench.competition import Competition
from mlebench.data.paths import DataDir
from mlebench.grading.grade import Grader
from mlebench.registry import Registry


class Made:
    """A competition with its raw files and what the recipe made of them."""

    def __init__(self, competition: Competition, data_dir: DataDir, source: Path | None = None) -> None:
        self.competition = competition
        self.paths = data_dir.paths(competition.id)
        for folder in (self.paths.raw, self.paths.public, self.paths.private):
            folder.mkdir(parents=True)
        if source is None:
            competition.make_raw(self.paths.raw)
        competition.prepare(source or self.paths.raw, self.paths.public, self.paths.private)

    @cached_property
    def grader(self) -> Grader:
        """Grades against the made answers."""
        return Grader(self.competition, self.paths)

    def score(self, table: pd.DataFrame, folder: Path) -> float:
        """The score of a table as the submission that is written to `folder`/submission.csv."""
        path = folder / "submission.csv"
        table.to_csv(path, index=False)
        return self.grader.score(path)[0]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """Gives a competition by id, prepared once: from made-up data, or from a folder of raw files of one's own."""

    @cache
    def get(competition_id: str, source: Path | None = None) -> Made:
        return Made(Registry().get(competition_id), DataDir(tmp_path_factory.mktemp("data")), source)

    return get
