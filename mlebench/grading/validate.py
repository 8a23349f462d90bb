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
from mlebench.formats.words import as_numbers
from mlebench.grading.keys import match_keys, read_keys
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


def validate_file(path: Path, competition: Competition, sample: Path) -> ValidationResult:
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
        _reject(
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
            Reason.DUPLICATE_COLUMNS, f"The column {_key_text(repeated[0])} occurs more than once."
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
            f"The submission has the extra column {_key_text(surplus)}; only {more} may stand.",
        )
    if rules.id_first and names[: len(ids)] != ids:
        raise InvalidSubmissionError(Reason.COLUMN_ORDER, f"The column {ids[0]} must be the first one.")
    if rules.in_order and (found := [name for name in names if name in targets]) != targets:
        wrong, right = next(pair for pair in zip(found, targets, strict=True) if pair[0] != pair[1])
        raise InvalidSubmissionError(
            Reason.COLUMN_ORDER, f"The column {wrong} stands where {right} must; keep the sample's order of columns."
        )


def match_ids(
    found: pd.DataFrame,
    expected: pd.DataFrame,
    *,
    one_per_id: bool,
    unique: bool,
    extra: bool = False,
    complete: bool = True,
    numeric: bool = False,
) -> np.ndarray | None:
    """Row of `found` for each expected id; none where several rows may share an id (then only the sets must agree).

    Ids are compared as text; where every expected id is a whole number, `7` and `7.0` are the same id, and with
    `numeric` so is `007`. With `extra`, rows with other ids may stand too; unless `complete`, ids may lack a row.
    """
    given, wanted = id_keys(found), id_keys(expected)
    if one_per_id and _same(given, wanted):
        return np.arange(len(given))
    if len(expected.columns) == 1:
        given, wanted = _as_whole_numbers(given, wanted, numeric=numeric)
        if one_per_id and _same(given, wanted):
            return np.arange(len(given))
    if not unique:
        given, wanted = _numbered(given), _numbered(wanted)
    name = expected.columns[0] if len(expected.columns) == 1 else "+".join(expected.columns)
    wanted_index = pd.Index(pd.unique(wanted) if not one_per_id else wanted)

    def shown(row: int) -> str:
        return _key_text(wanted_index[row])

    where = wanted_index.get_indexer(pd.Index(given))
    known = where >= 0
    if not extra:
        _reject(~known, Reason.UNKNOWN_IDS, _unknown(given))
    counts = np.bincount(where[known], minlength=len(wanted_index))
    if one_per_id:
        _reject(counts > 1, Reason.DUPLICATE_IDS, lambda row: f"The id {shown(row)} occurs more than once.")
    if complete:
        _reject(counts == 0, Reason.MISSING_IDS, lambda row: f"The id {shown(row)} ({name}) has no row.")
    if not one_per_id:
        return None
    positions = np.empty(len(wanted_index), dtype=np.int64)
    positions[where[known]] = np.flatnonzero(known)
    return positions


def answer_rows(found: pd.Series, expected: pd.Series) -> np.ndarray:
    """Row of `expected` (distinct ids) for each row of `found`, which has passed `match_ids`; several may share one."""
    given, wanted = _as_whole_numbers(found.to_numpy(dtype=object), expected.to_numpy(dtype=object))
    return pd.Index(wanted).get_indexer(pd.Index(given))


def _as_whole_numbers(given: np.ndarray, wanted: np.ndarray, *, numeric: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Both sides' keys as int64 where every wanted one is a whole number, else as they are."""
    whole = _whole_numbers(wanted, as_written=not numeric)
    if whole is None:
        return given, wanted
    parsed = pd.to_numeric(pd.Series(given), errors="coerce")
    if parsed.dtype != np.int64:  # ids of 17 digits and more are exact as integers only
        numbers = parsed.to_numpy(np.float64)
        _reject(~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2.0**63)), Reason.UNKNOWN_IDS, _unknown(given))
        parsed = pd.Series(numbers.astype(np.int64))
    return parsed.to_numpy(np.int64), whole


def match_sorted(found: pd.DataFrame, expected: pd.DataFrame) -> np.ndarray:
    """Row of `found` for each expected id when both sides are put in ascending order of their ids.

    As in the published reader, ids that are all numbers are ordered as such, and empty ones come last.
    """
    given, wanted = (np.argsort(_sortable(id_keys(ids))) for ids in (found, expected))
    positions = np.empty(len(wanted), dtype=np.int64)
    positions[wanted] = given
    return positions


def _sortable(keys: np.ndarray) -> np.ndarray:
    filled = keys != ""
    numbers = pd.to_numeric(pd.Series(keys), errors="coerce").to_numpy(np.float64)
    return np.where(filled, keys, chr(0x10FFFF)) if np.isnan(numbers[filled]).any() else numbers


def id_keys(ids: pd.DataFrame) -> np.ndarray:
    """One text key a row: the id itself, or several id columns joined by a character no CSV cell holds."""
    first, *rest = (ids[name] for name in ids.columns)
    for column in rest:
        first = first + "\x1f" + column
    return first.to_numpy(dtype=object)


def _same(given: np.ndarray, wanted: np.ndarray) -> bool:
    return len(given) == len(wanted) and bool(np.array_equal(given, wanted))


def _whole_numbers(keys: np.ndarray, *, as_written: bool = True) -> np.ndarray | None:
    """Keys as int64; none where some are no whole numbers or, with `as_written`, are spelled in another way."""
    try:
        if len(keys) and str(int(keys[0])) != keys[0] and as_written:  # ends here for most texts, before the millions
            return None
        numbers = keys.astype(np.int64)
    except (ValueError, OverflowError):
        return None
    return numbers if not as_written or _same(numbers.astype(str).astype(object), keys) else None


def _numbered(keys: np.ndarray) -> np.ndarray:
    """Keys that may repeat, made unique by counting their occurrences."""
    series = pd.Series(keys)
    return (series.astype(str) + "\x1f" + series.groupby(series).cumcount().astype(str)).to_numpy(dtype=object)


def _unknown(keys: np.ndarray) -> Callable[[int], str]:
    return lambda row: f"Row {row + 1} has the id {_key_text(keys[row])}, which the test set does not have."


def _key_text(key: object) -> str:
    text = str(key).replace("\x1f", ", ")
    return repr(text if len(text) <= 60 else text[:57] + "...")


def check_column(cells: pd.Series, name: str, spec: Columns) -> None:
    """Check one prediction column against its declared rule."""
    values = cells.to_numpy()
    missing = pd.isna(values) if spec.type != "text" or spec.missing == "na-words" else None
    if missing is not None and spec.missing == "invalid":
        _reject(
            missing, Reason.MISSING_VALUES, lambda row: f"Column {name} is empty in row {row + 1}; fill every cell."
        )
    if spec.type == "text":
        if spec.missing == "invalid":
            _reject(values == "", Reason.MISSING_VALUES, lambda row: f"Column {name} is empty in row {row + 1}.")
        if spec.all_numbers == "invalid" and (numbers_read := as_numbers(cells)) is not None:
            _reject(
                numbers_read.notna().to_numpy(),
                Reason.BAD_FORMAT,
                lambda row: f"Column {name} must hold texts, but each of its cells is a number or empty.",
            )
        if spec.labels:
            wrong = ~cells.isin(spec.labels).to_numpy()
            _reject(
                wrong,
                Reason.WRONG_CLASS,
                lambda row: f"Column {name} holds {_key_text(values[row])}, which is no class.",
            )
        return
    numbers = values.astype(np.float64)
    if spec.infinite == "invalid":
        _reject(np.isinf(numbers), Reason.NOT_FINITE, lambda row: f"Column {name} is infinite in row {row + 1}.")
    if spec.type in ("integer", "boolean"):
        _reject(
            ~np.isnan(numbers) & (numbers != np.floor(numbers)),
            Reason.WRONG_CLASS,
            lambda row: f"Column {name} must hold whole numbers, but row {row + 1} holds {numbers[row]:g}.",
        )
        _reject(
            np.abs(numbers) >= 2.0**63,
            Reason.OUT_OF_RANGE,
            lambda row: f"Column {name} holds {numbers[row]:g} in row {row + 1}, more than a whole number can be.",
        )
    low, high = spec.min, spec.max
    outside = np.zeros(len(numbers), dtype=bool)
    if low is not None:
        outside |= numbers < low
    if spec.above is not None:
        outside |= numbers <= spec.above
    if high is not None:
        outside |= numbers > high
    _reject(
        outside, Reason.OUT_OF_RANGE, lambda row: f"{_range(name, spec)}, but row {row + 1} holds {numbers[row]:g}."
    )


def _range(name: str, spec: Columns) -> str:
    bounds = []
    if spec.min is not None:
        bounds.append(f"at least {spec.min:g}")
    if spec.above is not None:
        bounds.append(f"greater than {spec.above:g}")
    if spec.max is not None:
        bounds.append(f"at most {spec.max:g}")
    return f"Column {name} must be {' and '.join(bounds)}"


def _reject(bad: np.ndarray, reason: Reason, sentence: Callable[[int], str]) -> None:
    """Raise for the first row where `bad` is true."""
    if bad.any():
        raise InvalidSubmissionError(reason, sentence(int(np.argmax(bad))))
