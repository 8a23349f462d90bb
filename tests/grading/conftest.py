"""A competition of four rows whose submission format each test chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlebench.competition import Competition, load_competition
from mlebench.data.paths import PreparedPaths
from mlebench.errors import InvalidSubmissionError
from mlebench.grading.grade import Grader
from mlebench.grading.validate import ValidationResult, validate_file

COMPETITION = """
id = "own"
title = "Own"
group = "own"
category = "Tabular"
[submission]
id = {id}
{rules}
columns = [{columns}]
[metric]
name = "{metric}"
title = "Metric"
higher_is_better = true
"""
LEADERBOARD = 'higher_is_better = true\nteams = 4\ngold = 0.9\nsilver = 0.8\nbronze = 0.7\nmedian = 0.5\nsource = "made up"\ndate = "2026-01-01"\n'
NUMBER = '{ names = ["y"], type = "number", min = 0, max = 1 }'


@dataclass
class Contest:
    """A competition with its answers on disk, and ways to submit to it."""

    home: Path
    competition: Competition
    grader: Grader
    sample: Path

    def write(self, content: str | bytes, name: str = "submission.csv") -> Path:
        """A submission file of exactly this content."""
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def validate(self, path: Path) -> ValidationResult:
        """What an agent is told."""
        return validate_file(path, self.competition, self.sample)

    def score(self, content: str | bytes, name: str = "submission.csv") -> float:
        """Score of this content, which validation finds valid too."""
        path = self.write(content, name)
        result = self.validate(path)
        assert result.valid, result.message
        return self.grader.score(path)[0]

    def refusal(self, content: str | bytes | Path, name: str = "submission.csv") -> str:
        """Why this content is invalid: the reason's code, on which validation and grading agree."""
        path = content if isinstance(content, Path) else self.write(content, name)
        result = self.validate(path)
        assert not result.valid, f"valid: {content!r}"
        assert "\n" not in result.message
        assert len(result.message) < 500, result.message
        with pytest.raises(InvalidSubmissionError) as caught:
            self.grader.score(path)
        assert result.reason == caught.value.reason.value
        return result.reason

    def agree(self, path: Path) -> None:
        """Whatever this file is, validation and grading say the same of it and raise nothing else."""
        result = self.validate(path)
        try:
            self.grader.score(path)
        except InvalidSubmissionError as error:
            assert result.reason == error.reason.value or error.reason.value == "undefined_score", error
        else:
            assert result.valid, result.message


@pytest.fixture
def contest(tmp_path: Path) -> Callable[..., Contest]:
    """Function from a format to a contest; without arguments: ids 1 to 4 and probabilities, scored by ROC AUC."""

    def make(
        *,
        columns: str = NUMBER,
        ids: str = '"id"',
        rules: str = "",
        metric: str = "roc_auc",
        sample: str = "id,y\n1,0.5\n2,0.5\n3,0.5\n4,0.5\n",
        answers: str = "id,y\n1,1\n2,0\n3,1\n4,0\n",
    ) -> Contest:
        folder = tmp_path / "competitions" / "own"
        folder.mkdir(parents=True)
        (folder / "competition.toml").write_text(
            COMPETITION.format(id=ids, columns=columns, metric=metric, rules=rules)
        )
        (folder / "leaderboard.toml").write_text(LEADERBOARD)
        paths = PreparedPaths(tmp_path / "own", tmp_path / "own" / "prepared")
        paths.public.mkdir(parents=True)
        paths.private.mkdir()
        (paths.public / "sample_submission.csv").write_text(sample)
        (paths.private / "test.csv").write_text(answers)
        competition = load_competition(folder)
        home = tmp_path / "submissions"
        home.mkdir()
        return Contest(home, competition, Grader(competition, paths), paths.public / "sample_submission.csv")

    return make
