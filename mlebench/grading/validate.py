"""Is the format right? Answered from the declared schema and the expected ids alone, in a fixed vocabulary.

Grading and the validation endpoint ask the same questions here; the endpoint takes the expected ids from the
sample submission and never sees an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel

from mlebench.competition import Columns, Competition, Submission
from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.grading.cells import check_column
from mlebench.grading.ids import match_ids, match_sorted
from mlebench.grading.keys import match_keys, read_keys
from mlebench.grading.refusal import key_text, refuse
from mlebench.grading.submission import SubmissionFile, open_submission
from mlebench.grading.table import header_names, read_plain_columns, read_submission_table

MAX_EXTRA_COLUMNS = 10_000
"""Columns beyond the needed ones that may stand, where any may; the reader takes seconds for more."""


class ValidationResult(BaseModel):
    """What may be told to an agent about its submission; never a score."""

    valid: bool
    reason: str | None = None
    """Code of mlebench.errors.Reason when invalid."""
    message: str
    warnings: list[str] = []


@dataclass(frozen=True)
class Expected:
    """What a submission must hold: the prediction columns by name, and the rows' ids."""

    columns: dict[str, Columns]
    read_ids: Callable[[], pd.DataFrame]
    """The id columns as text (none of them where rows are compared by position); not called when the keys are enough."""
    read_keys: Callable[[], np.ndarray | None] = lambda: None
    """The same as they stand in the file, where rows may be matched by them and nobody needs the texts."""

    @cached_property
    def keys(self) -> np.ndarray | None:
        """The ids as they stand in the file, or none."""
        return self.read_keys()

    @cached_property
    def ids(self) -> pd.DataFrame:
        """The id columns as text."""
        return self.read_ids()


def validate_file(path: str | Path, competition: Competition, sample: Path) -> ValidationResult:
    """Check a submission's format against the sample submission; a bad file is a result, never an exception."""
    try:
        expected = expected_from_sample(competition, sample)
        with open_submission(path) as file:
            checked = read_checked(file, competition, expected)
    except InvalidSubmissionError as error:
        return ValidationResult(valid=False, reason=error.reason, message=str(error))
    return ValidationResult(valid=True, message="The submission's format is valid.", warnings=checked.warnings)


def expected_from_sample(competition: Competition, sample: Path) -> Expected:
    """Read what to expect from the sample submission (public knowledge)."""
    with open_submission(sample) as file:
        names = header_names(file)
        columns = expected_columns(competition, names)
        if competition.submission.align == "position":
            rows = read_submission_table(file, [], dict(list(columns.items())[:1]))[[]]
            return Expected(columns, lambda: rows)
        if keyed(competition) and (keys := read_keys(file.open, competition.id_columns)) is not None:
            return Expected(columns, lambda: _ids_of_sample(competition, sample), lambda: keys)
        rows = read_submission_table(file, competition.id_columns, {})
        return Expected(columns, lambda: rows)


def keyed(competition: Competition) -> bool:
    """Whether rows are matched one to one by their ids, and nothing else is done with these."""
    rules = competition.submission
    plain = rules.rows == "one-per-id" and rules.align == "id" and rules.unique_ids and rules.extra_ids == "reject"
    return plain and not competition.has_grader


def _ids_of_sample(competition: Competition, sample: Path) -> pd.DataFrame:
    with open_submission(sample) as file:
        return read_submission_table(file, competition.id_columns, {})


def expected_columns(competition: Competition, sample_names: Sequence[str]) -> dict[str, Columns]:
    """Prediction columns by name, in declared order; `from_sample` ones take the sample's names."""
    columns: dict[str, Columns] = {}
    for spec in competition.submission.columns:
        names = spec.names or [name for name in sample_names if name not in competition.id_columns]
        columns |= dict.fromkeys(names, spec)
    return columns


@dataclass(frozen=True)
class Checked:
    """A submission that keeps to its format, and where each expected row stands in it."""

    frame: pd.DataFrame
    positions: np.ndarray | None
    """Row of the submission for each expected id; none when the rows are compared as they come."""
    warnings: list[str]

    def aligned(self) -> pd.DataFrame:
        """The submission's rows in the order of the expected ids."""
        if self.positions is None or np.array_equal(self.positions, np.arange(len(self.frame))):
            return self.frame
        return self.frame.iloc[self.positions].reset_index(drop=True)


def read_checked(file: SubmissionFile, competition: Competition, expected: Expected) -> Checked:
    """Read a submission and check everything that is declared; InvalidSubmissionError at the first fault."""
    rules = competition.submission
    names = header_names(file)
    by_position = rules.align == "position"
    given = _given_names(expected.columns, names)
    _check_header(names, [] if by_position else rules.id, list(given), rules)
    warnings = list(file.warnings)
    columns = {own: expected.columns[name] for own, name in given.items()}
    frame, positions = _read_by_keys(file, competition, expected, columns)
    if frame is None:
        ids = [name for name in rules.id if name in names]
        frame = read_submission_table(file, ids, columns)
        positions = _match_rows(frame[ids], rules, expected, warnings)
    frame = frame.rename(columns=given)
    if rules.by_place and (placed := [given[name] for name in names if name in given]) != list(expected.columns):
        frame[list(expected.columns)] = frame[placed].to_numpy()
        warnings.append("Columns are scored in the order of the file, whatever their names; keep the sample's order.")
    for name, spec in expected.columns.items():
        check_column(frame[name], name, spec)
        if spec.type in ("integer", "boolean") and spec.missing == "invalid":
            frame[name] = frame[name].astype(np.int64)
    if rules.row_sum is not None:
        total, bound = rules.row_sum.total, rules.row_sum.atol + rules.row_sum.rtol * abs(rules.row_sum.total)
        sums = frame[list(expected.columns)].to_numpy(np.float64).sum(axis=1)
        refuse(
            np.abs(sums - total) > bound,
            Reason.ROW_SUM,
            lambda row: (
                f"Each row's predictions must add up to {total:g}, but row {row + 1} adds up to {sums[row]:.6g}."
            ),
        )
    if competition.has_grader and hasattr(competition.grader, "check"):
        competition.grader.check(frame)
    return Checked(frame, positions, warnings)


def _read_by_keys(
    file: SubmissionFile, competition: Competition, expected: Expected, columns: dict[str, Columns]
) -> tuple[pd.DataFrame | None, np.ndarray | None]:
    """The prediction columns and the row of each expected id; no frame where texts must decide."""
    keys = read_keys(file.open, competition.id_columns) if keyed(competition) and file.format == "csv" else None
    positions = match_keys(keys, expected.keys) if keys is not None and expected.keys is not None else None
    return (None, None) if positions is None else (read_plain_columns(file, columns), positions)


def _match_rows(ids: pd.DataFrame, rules: Submission, expected: Expected, warnings: list[str]) -> np.ndarray | None:
    """Row of the submission for each expected id, none where rows are compared as they come; says so in `warnings`."""
    if rules.rows == "one-per-id" and rules.extra_ids == "reject" and len(ids) != len(expected.ids):
        raise InvalidSubmissionError(
            Reason.ROW_COUNT, f"The submission has {len(ids):,} rows, but {len(expected.ids):,} are expected."
        )
    if rules.align == "position":
        warnings.append("Rows are compared in the order of the test set; ids are not read.")
        if len(ids) != len(expected.ids):
            warnings.append(f"There are {len(ids):,} rows instead of {len(expected.ids):,}: only these are scored.")
        return None
    try:
        positions = match_ids(
            ids,
            expected.ids,
            one_per_id=rules.rows == "one-per-id",
            unique=rules.unique_ids,
            extra=rules.extra_ids == "ignore",
            complete=rules.rows != "any",
            numeric=rules.numeric_ids,
        )
    except InvalidSubmissionError as error:
        unknown = error.reason is Reason.UNKNOWN_IDS
        if rules.align not in ("sorted", "sorted-known") or (unknown and rules.align == "sorted-known"):
            raise
        positions = match_sorted(ids, expected.ids)
        warnings.append(f"{error} Rows were compared in ascending order of the ids instead.")
    return None if rules.align == "file" else positions


def _given_names(columns: dict[str, Columns], names: Sequence[str]) -> dict[str, str]:
    """Prediction columns by the name they have in the submission, which may be their alias."""
    given = {}
    for name, spec in columns.items():
        other = bool(spec.alias) and spec.alias in names
        if other and name in names:
            raise InvalidSubmissionError(
                Reason.DUPLICATE_COLUMNS, f"The columns {name} and {spec.alias} are one and the same; keep one of them."
            )
        given[spec.alias if other else name] = name
    return given


def _check_header(names: list[str], ids: list[str], targets: list[str], rules: Submission) -> None:
    # A name may be empty, as in the header "id,y,,": cells without a name are nobody's.
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        raise InvalidSubmissionError(
            Reason.DUPLICATE_COLUMNS, f"The column {key_text(repeated[0])} occurs more than once."
        )
    needed = [*ids, *targets]
    missing = sorted(set(needed) - set(names), key=needed.index)
    if missing:
        hint = ""
        if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
            hint = " The cells seem to be separated by something other than commas."
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        wanted = ",".join(needed) if len(needed) <= 8 else ",".join(needed[:8]) + ",..."
        raise InvalidSubmissionError(
            Reason.MISSING_COLUMNS, f"The submission lacks the column(s) {shown}; its header must be {wanted}.{hint}"
        )
    allowed = 0 if rules.extra_columns == "reject" else MAX_EXTRA_COLUMNS
    if len(names) > len(needed) + allowed:
        surplus = next(name for name in names if name not in needed)
        more = f"at most {allowed:,} further columns" if allowed else ",".join(needed)
        raise InvalidSubmissionError(
            Reason.EXTRA_COLUMNS,
            f"The submission has the extra column {key_text(surplus)}; only {more} may stand.",
        )
    if rules.id_first and names[: len(ids)] != ids:
        raise InvalidSubmissionError(Reason.COLUMN_ORDER, f"The column {ids[0]} must be the first one.")
    if rules.in_order and (found := [name for name in names if name in targets]) != targets:
        wrong, right = next(pair for pair in zip(found, targets, strict=True) if pair[0] != pair[1])
        raise InvalidSubmissionError(
            Reason.COLUMN_ORDER, f"The column {wrong} stands where {right} must; keep the sample's order of columns."
        )
