"""What every recipe must have made: answers, and a sample submission, each with at least one row."""

from __future__ import annotations

from pathlib import Path

from mlebench.competition import Competition
from mlebench.errors import DataError

_ENOUGH = 1 << 16


def require_outcome(competition: Competition, made: Path, raw: str) -> None:
    """DataError unless the recipe wrote what is needed to grade; `raw` tells where the raw data is."""
    facts = competition.facts
    for needed in (made / "private" / facts.answers.file, made / facts.data.sample_submission):
        name = needed.relative_to(made)
        if not needed.is_file():
            raise DataError(f"{competition.id}: the recipe did not write {name}.")
        if not _has_rows(needed):
            raise DataError(
                f"{competition.id}: nothing of the raw data ({raw}) came into the test set, as {name} has no rows; is it "
                "Kaggle's unchanged download?"
            )


def _has_rows(table: Path) -> bool:
    """Whether there is anything in a file, or in a CSV anything below its header. No more of it is read."""
    with table.open("rb") as file:
        if table.suffix == ".csv":
            file.readline()
        return bool(file.read(_ENOUGH).strip())
