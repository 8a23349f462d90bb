"""GradeReport: everything known about one graded submission, and the JSON that other tools read.

The keys of the published benchmark's report are kept with their names and meaning (see `to_json`), ours stand
beside them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mlebench import __version__
from mlebench.competition import Edition
from mlebench.grading.leaderboard import Medal


class Outcome(StrEnum):
    """How a submission (or the attempt that should have made one) ended; told apart in every report."""

    GRADED = "graded"
    INVALID = "invalid"
    NO_SUBMISSION = "no_submission"
    GRADER_ERROR = "grader_error"


class Thresholds(BaseModel):
    """Archived scores that earn something."""

    gold: float
    silver: float
    bronze: float
    median: float


class GradeReport(BaseModel):
    """The result of grading one submission of one competition."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    competition: str
    edition: Edition = "v1"
    outcome: Outcome
    score: float | None = None
    """Rounded to 5 decimals, the number that is compared with the leaderboard."""
    score_exact: float | None = None
    """As the metric gave it."""
    reason: str | None = None
    """Code of mlebench.errors.Reason when invalid."""
    message: str | None = None
    """One sentence for people: why invalid, or what broke."""
    warnings: list[str] = []
    """Things that do not invalidate the submission but that its author should know."""
    medal: Medal | None = None
    above_median: bool = False
    thresholds: Thresholds
    rank: int | None = None
    """Estimated rank on the archived leaderboard; none where no rank table is archived or nothing was scored."""
    rank_low: int | None = None
    rank_high: int | None = None
    percentile: float | None = None
    """100 is the top team, 0 is behind every team."""
    teams: int | None = None
    rank_source: str | None = None
    """The leaderboard that rank, percentile and teams speak of: the archived one, or one fetched from Kaggle."""
    higher_is_better: bool
    submission_path: str
    submission_sha256: str | None = None
    answers_sha256: str | None = None
    data_verified: bool | None = None
    """Whether the prepared data's manifest says its checksums held; none for data without a manifest."""
    data_source: str | None = None
    """kaggle, synthetic, bundled, folder or adopted, as the manifest says."""
    seconds: float = 0.0
    """Reading, validating and scoring."""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    version: str = __version__

    @property
    def valid(self) -> bool:
        """Whether the submission was scored."""
        return self.outcome is Outcome.GRADED

    @property
    def synthetic(self) -> bool:
        """Whether it was graded on made-up data: its medal, rank and percentile mean nothing then."""
        return self.data_source == "synthetic"

    def to_json(self) -> dict[str, Any]:
        """Our keys, and beside them the published benchmark's with their names and meaning."""
        ours = self.model_dump(mode="json")
        published = {
            "competition_id": self.competition,
            "score": self.score,
            "gold_threshold": self.thresholds.gold,
            "silver_threshold": self.thresholds.silver,
            "bronze_threshold": self.thresholds.bronze,
            "median_threshold": self.thresholds.median,
            "any_medal": self.medal is not None,
            "gold_medal": self.medal is Medal.GOLD,
            "silver_medal": self.medal is Medal.SILVER,
            "bronze_medal": self.medal is Medal.BRONZE,
            "above_median": self.above_median,
            "submission_exists": self.outcome is not Outcome.NO_SUBMISSION,
            "valid_submission": self.valid,
            "is_lower_better": not self.higher_is_better,
            "created_at": self.created_at.isoformat(),
            "submission_path": self.submission_path,
        }
        return {**published, **ours}
