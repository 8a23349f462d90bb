"""Runs the contract over one competition folder and says, check by check, what holds.

Raw data (made up or bundled) -> prepare -> public/private invariants -> the sample submission is valid -> the
perfect submission scores the perfect score -> shuffled rows score the same -> every malformed submission is
invalid with a sentence that helps.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from mlebench.competition import Competition
from mlebench.conformance.malformed import KINDS, Wellformed
from mlebench.data.archives import zip_folder
from mlebench.data.manifest import list_files
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.data.prepare import prepare_competition
from mlebench.data.raw_files import ARCHIVE, forget, lead_to
from mlebench.data.sources import SourceRequest
from mlebench.errors import InvalidSubmissionError, MlebenchError
from mlebench.grading.grade import Grader
from mlebench.grading.validate import validate_file

MAX_RAW_BYTES = 3_000_000
"""Made-up raw data stays small at scale 1."""


@dataclass(frozen=True)
class Check:
    """One thing the contract asks for."""

    name: str
    passed: bool
    detail: str = ""


class ContractError(AssertionError):
    """A check does not hold; the message says what was expected and what is there."""


def expect(condition: bool, sentence: str) -> None:
    """Raise ContractError with this sentence unless the condition holds."""
    if not condition:
        raise ContractError(sentence)


class Contract:
    """The contract over one competition, in a scratch folder of its own."""

    def __init__(self, competition: Competition, scratch: Path) -> None:
        self.competition = competition
        self.scratch = scratch

    @cached_property
    def raw(self) -> Path:
        """Raw data as the generator writes it."""
        folder = self.scratch / "raw"
        folder.mkdir()
        self.competition.make_raw(folder)
        return folder

    @cached_property
    def paths(self) -> PreparedPaths:
        """The prepared competition."""
        data_dir = DataDir(self.scratch / "data")
        source = self.competition.facts.data.sources[-1]
        prepare_competition(self.competition, data_dir, SourceRequest(source))
        return data_dir.paths(self.competition.id)

    @cached_property
    def grader(self) -> Grader:
        """The grader on the prepared competition."""
        return Grader(self.competition, self.paths)

    @cached_property
    def sample(self) -> Path:
        """The plain sample submission."""
        return self.paths.prepared / self.competition.facts.data.sample_submission

    def perfect(self) -> pd.DataFrame:
        """The best possible submission, from the answers."""
        answers = self.grader.answers
        ids = [name for name in self.competition.id_columns if name in answers.columns]
        if self.competition.has_grader and hasattr(self.competition.grader, "perfect"):
            best = self.competition.grader.perfect(answers)
        else:
            best = answers[[*ids, *self.grader.columns]]
        if self.competition.submission.extra_ids == "ignore":  # rows that are not scored must stand too
            sample = pd.read_csv(self.sample, dtype=str, keep_default_na=False)
            best = pd.concat([best, sample[~sample[ids[0]].isin(best[ids[0]])]])
        return best

    def score(self, submission: Path) -> float:
        """The exact score of a submission file."""
        return self.grader.score(submission)[0]

    def write(self, table: pd.DataFrame) -> Path:
        """Write a submission of one's own making."""
        path = self.scratch / "submission.csv"
        table.to_csv(path, index=False)
        return path

    # The checks. Each raises ContractError (or any error) when it does not hold.

    def raw_is_reproducible(self) -> None:
        """The same seed makes the same raw files, and they are small."""
        again = self.scratch / "raw-again"
        again.mkdir()
        self.competition.make_raw(again)
        expect(_tree(self.raw) == _tree(again), "make_raw wrote different bytes for the same seed")
        size = sum(path.stat().st_size for path in list_files(self.raw))
        bundled = "bundled" in self.competition.facts.data.sources
        expect(bundled or size <= MAX_RAW_BYTES, f"the made-up raw data has {size:,} bytes, over {MAX_RAW_BYTES:,}")

    @cached_property
    def made(self) -> dict[str, str]:
        """Name -> sha256 of what the recipe makes of the folder of raw files."""
        return self._prepare(self.raw, "of-folder")

    def recipe_is_a_pure_function(self) -> None:
        """Preparing leaves the raw files alone, and gives the same bytes again (for `packed`, the next check says so)."""
        before = _tree(self.raw)
        first = self.made
        again = first if self.competition.facts.data.packed else self._prepare(self.raw, "again")
        expect(_tree(self.raw) == before, "prepare changed the raw folder")
        expect(first == again, f"preparing twice gave different bytes: {_difference(first, again)}")

    def zip_serves_as_the_folder(self) -> None:
        """A recipe that says `packed` makes the same bytes of the zip that the raw files came in."""
        if not self.competition.facts.data.packed:
            return
        zip_folder(self.raw, self.scratch / "raw.zip")
        lead_to(self.scratch / "raw.zip", zipped := self.scratch / "zipped")
        try:
            made = self._prepare(zipped, "of-zip")
        finally:
            forget()
        left = sorted(path.name for path in zipped.iterdir())
        expect(left == [ARCHIVE], f"prepare wrote into the raw folder: {left}")
        expect(made == self.made, f"the zip gave other bytes than the folder: {_difference(made, self.made)}")

    def _prepare(self, raw: Path, name: str) -> dict[str, str]:
        public, private = (self.scratch / name / part for part in ("public", "private"))
        public.mkdir(parents=True)
        private.mkdir()
        self.competition.prepare(raw, public, private)
        return _tree(self.scratch / name)

    def answers_stay_private(self) -> None:
        """No public file is the answers, whole or as a row of them; the description is public."""
        answers = self.grader.answers_path
        private = hashlib.sha256(answers.read_bytes()).hexdigest()
        for path in list_files(self.paths.public):
            expect(
                hashlib.sha256(path.read_bytes()).hexdigest() != private, f"{path.name} in public is the answers file"
            )
        expect((self.paths.public / "description.md").is_file(), "the description is not public")
        expect(self.paths.private.stat().st_mode & 0o077 == 0, "the private folder can be read by other users")

    def sample_is_valid(self) -> None:
        """The sample passes validation and is scored."""
        result = validate_file(self.sample, self.competition, self.sample)
        expect(result.valid, f"the sample submission is invalid: {result.message}")
        score = self.score(self.sample)
        expect(math.isfinite(score), f"the sample submission scores {score}")

    def perfect_scores_perfectly(self) -> None:
        """The answers submitted as predictions pass validation and score the declared perfect score."""
        path = self.write(self.perfect())
        result = validate_file(path, self.competition, self.sample)
        expect(result.valid, f"the perfect submission is invalid: {result.message}")
        score, sample = self.score(path), self.score(self.sample)
        higher = self.competition.metric.higher_is_better
        expect(score > sample if higher else score < sample, f"perfect {score} is not better than the sample {sample}")
        wanted = self.competition.metric.perfect_score
        if wanted is not None:
            expect(round(score, 5) == wanted, f"the perfect submission scores {score}, not {wanted}")

    def row_order_is_irrelevant(self) -> None:
        """The same rows in another order score the same, unless rows are compared by position."""
        for table in (self.perfect(), pd.read_csv(self.sample, dtype=str, keep_default_na=False)):
            straight, shuffled = self.score(self.write(table)), self.score(self.write(self._shuffled(table)))
            if self.competition.submission.align not in ("position", "file"):
                same = math.isclose(straight, shuffled, rel_tol=1e-12, abs_tol=1e-15)
                expect(same, f"shuffled rows score {shuffled}, not {straight}")

    def _shuffled(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows in another order; where ids may repeat, equal ids keep theirs."""
        table = table.reset_index(drop=True)
        rows = pd.Series(table.sample(frac=1.0, random_state=1).index)
        ids = [name for name in self.competition.id_columns if name in table.columns]
        if not self.competition.submission.unique_ids:
            keys = [table[name].iloc[rows].to_numpy() for name in ids]
            rows = rows.groupby(keys, sort=False).transform(lambda own: own.sort_values().to_numpy())
        return table.iloc[rows]

    def malformed_is_invalid(self) -> None:
        """Every kind of malformed submission is refused with one sentence, in validation and in grading."""
        faults = [f"{name}: {fault}" for name, fault in self.malformed if fault]
        expect(not faults, "; ".join(faults))

    @cached_property
    def malformed(self) -> list[tuple[str, str]]:
        """Each applicable kind of malformed submission and what is wrong with how it was treated ('' if nothing)."""
        return list(self._malformed())

    def _malformed(self) -> Iterator[tuple[str, str]]:
        table = pd.read_csv(self.sample, dtype=str, keep_default_na=False).head(2000)
        small = self._cut_to(len(table))
        for name, make in KINDS.items():
            with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                path = make(Wellformed(self.competition, self.grader.columns, table, Path(folder)))
                if path is not None:
                    yield name, self._refusal(small, path)
        for column, spec in self.grader.columns.items():
            for cell in spec.refused:
                with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                    source = Wellformed(self.competition, self.grader.columns, table, Path(folder))
                    yield f"{column} = {cell!r}", self._refusal(small, source.with_cell(column, cell))

    def _cut_to(self, rows: int) -> Path:
        """A sample of the first rows only, so that breaking a huge submission in forty ways stays quick."""
        path = self.scratch / "sample-head.csv"
        pd.read_csv(self.sample, dtype=str, keep_default_na=False).head(rows).to_csv(path, index=False)
        return path

    def _refusal(self, sample: Path, broken: Path) -> str:
        result = validate_file(broken, self.competition, sample)
        if result.valid:
            return "validation accepts it"
        if "\n" in result.message or len(result.message) < 15 or "Traceback" in result.message:
            return f"the reason is no helpful sentence: {result.message!r}"
        try:
            self.grader.score(broken)
        except InvalidSubmissionError:
            return ""
        return "grading accepts it"


CHECKS: dict[str, Callable[[Contract], None]] = {
    name: getattr(Contract, name)
    for name in (
        "raw_is_reproducible",
        "recipe_is_a_pure_function",
        "zip_serves_as_the_folder",
        "answers_stay_private",
        "sample_is_valid",
        "perfect_scores_perfectly",
        "row_order_is_irrelevant",
        "malformed_is_invalid",
    )
}
"""Every check by name, in the order in which they build on each other."""


def run_contract(competition: Competition) -> Iterator[Check]:
    """Run every check on a competition and yield what holds; a failing check does not stop the others."""
    scratch = Path(tempfile.mkdtemp(prefix=f"mlebench-check-{competition.id}-"))
    try:
        contract = Contract(competition, scratch)
        for name, check in CHECKS.items():
            try:
                check(contract)
            except (ContractError, MlebenchError) as error:
                yield Check(name, False, str(error))
            except Exception as error:  # code of a competition folder may raise anything; the author wants to see it
                yield Check(name, False, f"{type(error).__name__}: {error}")
            else:
                yield Check(name, True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in list_files(folder)
    }


def _difference(one: dict[str, str], two: dict[str, str]) -> str:
    names = [name for name in sorted({*one, *two}) if one.get(name) != two.get(name)]
    return ", ".join(names[:5])
