"""Competitions made ready for tests that look closer than the contract does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from mlebench.competition import Competition
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.grading.grade import Grader
from mlebench.registry import Registry


class Ready:
    """A competition with its raw files and what the recipe made of them."""

    def __init__(self, competition: Competition, raw: Path, data_dir: DataDir) -> None:
        prepare_competition(competition, data_dir, SourceRequest(str(raw)))
        self.competition = competition
        self.raw = raw
        self.paths: PreparedPaths = data_dir.paths(competition.id)
        self.public, self.private = self.paths.public, self.paths.private

    def score(self, table: pd.DataFrame) -> float:
        """The score of a table as a submission; the file stays at `self.submission`."""
        table.to_csv(self.submission, index=False)
        return Grader(self.competition, self.paths).score(self.submission)[0]

    @property
    def submission(self) -> Path:
        """Where `score` writes."""
        return self.paths.home / "submission.csv"


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ready]:
    """Gives a competition by id, prepared once from its made-up data; a raw folder of one's own may stand in."""

    @cache
    def get(competition_id: str, raw: Path | None = None) -> Ready:
        competition = Registry().get(competition_id)
        if raw is None:
            raw = tmp_path_factory.mktemp("raw")
            competition.make_raw(raw, seed=3)
        return Ready(competition, raw, DataDir(tmp_path_factory.mktemp("data")))

    return get
