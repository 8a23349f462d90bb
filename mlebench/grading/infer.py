"""Which competition is this submission for? Answered only when exactly one prepared competition fits."""

from __future__ import annotations

from pathlib import Path

from mlebench.competition import Competition, Edition
from mlebench.data.paths import DataDir
from mlebench.errors import CompetitionError, InvalidSubmissionError, UsageError
from mlebench.grading.ids import id_keys
from mlebench.grading.submission import SubmissionFile, open_submission
from mlebench.grading.table import header_names, read_submission_table
from mlebench.grading.validate import expected_from_sample
from mlebench.registry import Registry


def infer_competition(submission: Path, registry: Registry, data_dir: DataDir, edition: Edition = "v1") -> Competition:
    """The one prepared competition whose columns and ids a submission has; a UsageError listing the candidates."""
    with open_submission(submission) as file:
        names = header_names(file)
        prepared = [c for c in registry.all() if _sample(c, data_dir, edition).is_file()]
        similar = [c for c in prepared if _header_fits(c, names, data_dir, edition)]
        fitting = [c for c in similar if _ids_fit(c, file, data_dir, edition)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(c.id for c in fitting)
        raise UsageError(f"{submission} fits more than one competition: {ids}; name one with -c.")
    if len(similar) == 1:
        # Only one has these columns: grading against it tells what is wrong with the ids.
        return similar[0]
    if similar:
        ids = ", ".join(c.id for c in similar)
        raise UsageError(f"{submission} has the columns of {ids} but the ids of none; name one with -c.")
    raise UsageError(
        f"{submission} (columns {', '.join(names[:6])}) fits none of the {len(prepared)} competitions prepared in "
        f"{data_dir.root}; name one with -c."
    )


def _sample(competition: Competition, data_dir: DataDir, edition: Edition) -> Path:
    return data_dir.paths(competition.id, edition).prepared / competition.facts.data.sample_submission


def _header_fits(competition: Competition, names: list[str], data_dir: DataDir, edition: Edition) -> bool:
    """Whether every column that the sample submission has is there (cheap: reads one line)."""
    try:
        with open_submission(_sample(competition, data_dir, edition)) as sample:
            return set(header_names(sample)) <= set(names)
    except (InvalidSubmissionError, CompetitionError):
        return False


def _ids_fit(competition: Competition, file: SubmissionFile, data_dir: DataDir, edition: Edition) -> bool:
    try:
        expected = expected_from_sample(competition, _sample(competition, data_dir, edition))
        if expected.ids.columns.empty:
            return True
        found = read_submission_table(file, competition.id_columns, {})
    except InvalidSubmissionError:
        return False
    return set(id_keys(found)) == set(id_keys(expected.ids))
