"""The names that integrations of the published benchmark import, delegating to the rooms that do the work.

    from mlebench.registry import registry
    from mlebench.grade import grade_csv, validate_submission
    from mlebench.data import is_dataset_prepared, download_and_prepare_dataset, get_leaderboard
    from mlebench.grade_helpers import CompetitionReport, Grader, InvalidSubmissionError

They keep their call signatures and the meaning of what they return; new code should call the rooms directly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlebench.competition import Competition
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.prepare import prepare_competition
from mlebench.errors import InvalidSubmissionError, UsageError
from mlebench.grading.grade import Grader as RoomGrader
from mlebench.grading.leaderboard import load_leaderboard
from mlebench.grading.report import GradeReport
from mlebench.grading.validate import validate_file
from mlebench.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

CompetitionReport = GradeReport
"""The report of one graded submission; `to_dict()` of the published class is `to_json()` here."""


class PublishedCompetition:
    """A competition in a data directory, with the published attribute names."""

    def __init__(self, competition: Competition, paths: PreparedPaths) -> None:
        self.competition = competition
        self.paths = paths

    @property
    def id(self) -> str:
        """Kaggle's slug."""
        return self.competition.id

    @property
    def name(self) -> str:
        """The name people know it by."""
        return self.competition.title

    @property
    def description(self) -> str:
        """The task, in our own words."""
        return self.competition.description

    @property
    def raw_dir(self) -> Path:
        """Raw files."""
        return self.paths.raw

    @property
    def public_dir(self) -> Path:
        """What agents see."""
        return self.paths.public

    @property
    def private_dir(self) -> Path:
        """The answers' folder."""
        return self.paths.private

    @property
    def answers(self) -> Path:
        """The answers file."""
        return self.paths.private / self.competition.facts.answers.file

    @property
    def sample_submission(self) -> Path:
        """The plain sample submission."""
        return self.paths.prepared / self.competition.facts.data.sample_submission

    @property
    def leaderboard(self) -> Path:
        """The archived score-at-rank table."""
        return self.competition.folder / "leaderboard.csv"

    @property
    def grader(self) -> Grader:
        """Scores a table of predictions."""
        return Grader(self)


class Grader:
    """The published grader object: its name, direction, and a call on tables."""

    def __init__(self, competition: PublishedCompetition) -> None:
        self._competition = competition
        self.name = competition.competition.metric.name
        self.is_lower_better_declared = not competition.competition.metric.higher_is_better

    def is_lower_better(self, leaderboard: pd.DataFrame | None = None) -> bool:
        """Direction of the metric (declared; the leaderboard is not looked at)."""
        return self.is_lower_better_declared

    def __call__(self, submission: pd.DataFrame, answers: pd.DataFrame | None = None) -> float | None:
        """Score a table against the competition's own answers; None when it is invalid (as published)."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "submission.csv"
            submission.to_csv(path, index=False)
            report = RoomGrader(self._competition.competition, self._competition.paths).grade(path)
        return report.score


class PublishedRegistry:
    """`registry` of the published package: competitions bound to one data directory."""

    def __init__(self, data_dir: Path | None = None) -> None:
        self._registry = Registry()
        self._data_dir = DataDir.locate(data_dir)

    def get_competition(self, competition_id: str) -> PublishedCompetition:
        """One competition by id."""
        return PublishedCompetition(self._registry.get(competition_id), self._data_dir.paths(competition_id))

    def list_competition_ids(self) -> list[str]:
        """Ids of every competition that can be named."""
        return self._registry.ids()

    def get_lite_competition_ids(self) -> list[str]:
        """Ids of the lite split."""
        return self._registry.split("lite")

    def get_data_dir(self) -> Path:
        """Where the data lies."""
        return self._data_dir.root

    def set_data_dir(self, new_data_dir: Path) -> PublishedRegistry:
        """The same competitions in another data directory."""
        return PublishedRegistry(new_data_dir)


def grade_csv(path_to_submission: Path, competition: PublishedCompetition) -> GradeReport:
    """Grade one submission file."""
    return RoomGrader(competition.competition, competition.paths).grade(Path(path_to_submission))


def validate_submission(submission: Path, competition: PublishedCompetition) -> tuple[bool, str]:
    """Whether the format is right, and a sentence; never looks at the answers."""
    result = validate_file(Path(submission), competition.competition, competition.sample_submission)
    return result.valid, result.message


def is_dataset_prepared(competition: PublishedCompetition, grading_only: bool = False) -> bool:
    """Whether the answers and the sample (and, unless `grading_only`, the public files) are there."""
    if not (competition.answers.is_file() and competition.sample_submission.is_file()):
        return False
    return grading_only or (competition.public_dir.is_dir() and any(competition.public_dir.iterdir()))


def download_and_prepare_dataset(
    competition: PublishedCompetition,
    keep_raw: bool = True,
    overwrite_checksums: bool = False,
    overwrite_leaderboard: bool = False,
    skip_verification: bool = False,
) -> None:
    """Prepare from the raw files in the data directory; a manifest is always written and nothing overwritten."""
    if overwrite_checksums or overwrite_leaderboard:
        raise UsageError("Checksums and leaderboards ship with mlebench and are not overwritten.")
    prepare_competition(competition.competition, DataDir(competition.paths.home.parent), keep_raw=keep_raw)


def get_leaderboard(competition: PublishedCompetition) -> pd.DataFrame:
    """The archived score-at-rank table (columns rank, score; a sample of ranks, best first)."""
    import pandas as pd

    board = load_leaderboard(competition.competition.folder, competition.competition.metric.higher_is_better)
    return pd.DataFrame({"rank": board.ranks, "score": board.scores})


__all__ = [
    "CompetitionReport",
    "Grader",
    "InvalidSubmissionError",
    "PublishedCompetition",
    "PublishedRegistry",
    "download_and_prepare_dataset",
    "get_leaderboard",
    "grade_csv",
    "is_dataset_prepared",
    "validate_submission",
]
