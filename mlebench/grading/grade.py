"""Grading one submission: validate, align to the answers, score, compare with the archived leaderboard.

`Grader` keeps a competition's answers in memory for callers that grade thousands of submissions;
`grade_submission` is the one-off form.
"""

from __future__ import annotations

import hashlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlebench.competition import Columns, Competition, Edition
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import PreparedPaths
from mlebench.errors import GraderError, InvalidSubmissionError, MlebenchError, NotPreparedError, Reason
from mlebench.grading.keys import read_keys
from mlebench.grading.leaderboard import SCORE_DECIMALS, Leaderboard, load_leaderboard
from mlebench.grading.report import GradeReport, Outcome, Thresholds
from mlebench.grading.submission import open_submission
from mlebench.grading.table import header_names, read_trusted_table
from mlebench.grading.validate import Checked, Expected, expected_columns, keyed, read_checked
from mlebench.metrics import METRICS, UndefinedMetricError, get_metric

log = logging.getLogger(__name__)


class Grader:
    """Grades submissions of one prepared competition; reads its answers once."""

    def __init__(self, competition: Competition, paths: PreparedPaths, *, edition: Edition = "v1") -> None:
        self.competition = competition
        self.paths = paths
        self.edition = edition
        self.board: Leaderboard = load_leaderboard(competition.folder, competition.metric.higher_is_better, paths.home)
        self.answers_path = paths.private / competition.facts.answers.file
        if not self.answers_path.is_file():
            raise NotPreparedError(
                f"The answers of {competition.id} are not at {self.answers_path}; "
                f"run `mlebench prepare {competition.id}` first."
            )

    @cached_property
    def columns(self) -> dict[str, Columns]:
        """Prediction columns by name."""
        if not any(spec.from_sample for spec in self.competition.submission.columns):
            return expected_columns(self.competition, [])
        with open_submission(self.paths.prepared / self.competition.facts.data.sample_submission) as file:
            return expected_columns(self.competition, header_names(file))

    @cached_property
    def answers(self) -> pd.DataFrame:
        """The answers' id and graded columns; ids carry the submission's column names."""
        if self.competition.has_grader and hasattr(self.competition.grader, "read_answers"):
            return self.competition.grader.read_answers(self.answers_path)
        ids = [] if self.competition.submission.align == "position" else self._answer_ids
        names = dict(zip(self._answer_ids, self.competition.id_columns, strict=False))
        return self._read_answers(ids).rename(columns=names)

    @cached_property
    def keys(self) -> np.ndarray | None:
        """The answers' ids as they stand in the file, where that is all that rows are matched by."""
        return read_keys(lambda: self.answers_path.open("rb"), self._answer_ids) if keyed(self.competition) else None

    @cached_property
    def truth(self) -> np.ndarray:
        """The answers' values in the prediction columns (rows, columns); no texts are made of ids that need none."""
        frame = self.answers if self.keys is None else self._read_answers([])
        return frame[list(self.columns)].to_numpy()

    @property
    def _scores_itself(self) -> bool:
        return self.competition.has_grader and hasattr(self.competition.grader, "grade")

    @property
    def _answer_ids(self) -> list[str]:
        return self.competition.facts.answers.id or self.competition.id_columns

    def _read_answers(self, ids: list[str]) -> pd.DataFrame:
        facts = self.competition.facts.answers
        with self.answers_path.open("rb") as file:
            return read_trusted_table(file, ids, {} if facts.columns else self.columns, facts.columns, facts.text)

    @cached_property
    def answers_sha256(self) -> str:
        """Hash of the answers file, so that two reports can be told to speak of the same answers."""
        with self.answers_path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def score(self, submission: str | Path) -> tuple[float, list[str], str]:
        """The exact score of a submission file, warnings about it, and the file's sha256.

        Raises InvalidSubmissionError when the file breaks the declared format or has no finite score, and
        GraderError when the grader fails on a file that keeps to the format.
        """
        rules = self.competition.submission
        ids = [] if rules.align == "position" else rules.id
        columns, by_answers = self.columns, self._scores_itself  # here, so that no two threads load them
        with ThreadPoolExecutor(1) as pool:
            # The answers are read while the submission is: of many millions of rows, both take seconds.
            keys = pool.submit(lambda: self.keys)
            loaded = pool.submit(lambda: self.answers if by_answers else self.truth)
            pool.submit(lambda: self.answers_sha256)

            def read_ids() -> pd.DataFrame:
                loaded.result()
                return self.answers[ids]

            with open_submission(submission) as file:
                checked = read_checked(file, self.competition, Expected(columns, read_ids, keys.result))
                digest = file.sha256
        try:
            score = float(self._measure(checked))
        except MlebenchError:
            raise
        except UndefinedMetricError as error:
            raise InvalidSubmissionError(Reason.UNDEFINED_SCORE, f"The submission has no score: {error}.") from None
        except Exception as error:
            log.debug("grader of %s failed", self.competition.id, exc_info=True)
            raise GraderError(
                f"The grader of {self.competition.id} failed on a well-formed submission "
                f"({type(error).__name__}: {error}); please report this as a bug."
            ) from error
        if not np.isfinite(score):
            raise InvalidSubmissionError(Reason.UNDEFINED_SCORE, "The submission has no finite score.")
        return score, checked.warnings, digest

    def grade(self, submission: str | Path) -> GradeReport:
        """Grade a file. A bad submission or a failing grader is an outcome of the report, never an exception."""
        started = time.perf_counter()
        values: dict[str, Any] = {}
        try:
            score, warnings, digest = self.score(submission)
            values = {"outcome": Outcome.GRADED, "warnings": warnings, "submission_sha256": digest, **self.judge(score)}
        except InvalidSubmissionError as error:
            missing = error.reason is Reason.NO_FILE
            outcome = Outcome.NO_SUBMISSION if missing else Outcome.INVALID
            values = {"outcome": outcome, "reason": error.reason.value, "message": str(error)}
        except GraderError as error:
            values = {"outcome": Outcome.GRADER_ERROR, "message": str(error)}
        board = self.board
        manifest = read_manifest(self.paths.manifest)
        if manifest is not None and manifest.new_source:
            told = f"{manifest.new_source}, as its preparer accepted: scores may not compare."
            values["warnings"] = [*values.get("warnings", []), told]
        return GradeReport(
            competition=self.competition.id,
            edition=self.edition,
            thresholds=Thresholds(gold=board.gold, silver=board.silver, bronze=board.bronze, median=board.median),
            teams=board.teams,
            higher_is_better=board.higher_is_better,
            submission_path=str(submission),
            answers_sha256=self.answers_sha256,
            data_verified=manifest.verified if manifest else None,
            data_source=manifest.source if manifest else None,
            seconds=round(time.perf_counter() - started, 4),
            **values,
        )

    def judge(self, score: float) -> dict[str, Any]:
        """What the archived leaderboard says about a score, as fields of a GradeReport."""
        standing = self.board.standing(score)
        return {
            "score": round(score, SCORE_DECIMALS),
            "score_exact": score,
            "medal": self.board.medal(score),
            "above_median": self.board.above_median(score),
            "rank": standing.rank if standing else None,
            "rank_low": standing.rank_low if standing else None,
            "rank_high": standing.rank_high if standing else None,
            "percentile": round(standing.percentile, 3) if standing else None,
            "rank_source": (self.board.fetched or self.board.source) if standing else None,
        }

    def _measure(self, checked: Checked) -> float:
        metric = self.competition.metric
        submission = checked.aligned()
        if self._scores_itself:
            return self.competition.grader.grade(submission, self.answers)
        if metric.name not in METRICS:
            raise GraderError(f"{self.competition.id} declares the unknown metric {metric.name!r} and has no grade.py.")
        measure = get_metric(metric.name)
        names = list(self.columns)
        truth, guess = self.truth, submission[names].to_numpy()
        if len(names) == 1:
            return measure(truth[:, 0], guess[:, 0], **metric.options)
        if metric.mean_over_columns:
            parts = [measure(truth[:, i], guess[:, i], **metric.options) for i in range(len(names))]
            return float(np.mean(parts))
        return measure(truth, guess, **metric.options)


def grade_submission(
    competition: Competition, submission: str | Path, paths: PreparedPaths, *, edition: Edition = "v1"
) -> GradeReport:
    """Grade one file of one competition (see Grader for many)."""
    return Grader(competition, paths, edition=edition).grade(submission)
