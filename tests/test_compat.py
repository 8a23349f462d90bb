"""The names that integrations of the published benchmark import still do what they say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def test_published_names_work_end_to_end(tmp_path: Path) -> None:
    from mlebench.data import download_and_prepare_dataset, get_leaderboard, is_dataset_prepared
    from mlebench.grade import grade_csv, validate_submission
    from mlebench.grade_helpers import CompetitionReport, InvalidSubmissionError
    from mlebench.registry import registry

    assert issubclass(InvalidSubmissionError, Exception)
    competition = registry.set_data_dir(tmp_path).get_competition("practice-breast-cancer")
    assert not is_dataset_prepared(competition)
    download_and_prepare_dataset(competition)
    assert is_dataset_prepared(competition)
    assert validate_submission(competition.sample_submission, competition)[0]
    report = grade_csv(competition.sample_submission, competition)
    assert isinstance(report, CompetitionReport) and report.score == 0.5
    answers = pd.read_csv(competition.answers)
    assert competition.grader(answers) == 1.0
    assert competition.grader(answers.head(3)) is None
    assert not competition.grader.is_lower_better()
    assert list(get_leaderboard(competition).columns) == ["rank", "score"]
    assert competition.id in registry.list_competition_ids()
