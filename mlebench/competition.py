"""A competition: what a folder under competitions/ says.

`competition.toml` holds every fact that is data; the models below are its schema. Code stands beside it only
where something is computed: `prepare.py`, `synthetic.py` (or `bundled.py`), and `grade.py` where the declared
metric and columns do not say everything. See docs/adding-a-competition.md.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from mlebench.errors import CompetitionError
from mlebench.toml import TomlFacts, load_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

Edition = Literal["v1", "v2"]
EDITIONS: tuple[Edition, ...] = ("v1", "v2")


class Columns(TomlFacts):
    """One or several prediction columns that follow the same rule."""

    names: list[str] = []
    """Column names; empty together with `from_sample` means: every non-id column of the sample submission."""
    from_sample: bool = False
    """Take the names from the sample submission (for hundreds of class columns)."""
    type: Literal["number", "integer", "boolean", "text"]
    """number: float64. integer: whole numbers (1 and 1.0). boolean: True/False or whole numbers, not both. text: as is."""
    min: float | None = None
    """Smallest allowed value, inclusive."""
    above: float | None = None
    """Values must be greater than this."""
    max: float | None = None
    """Largest allowed value, inclusive."""
    labels: list[str] = []
    """For text: the only allowed values. Empty: any text (a wrong label is merely a wrong answer)."""
    missing: Literal["invalid", "allowed", "na-words"] = "invalid"
    """What an empty cell is. na-words: the published reader's words for missing (NA, null, ...) count too."""
    refused: list[str] = []
    """Cells that grade.py's `check` must refuse; the contract check tries each of them."""
    infinite: Literal["invalid", "allowed"] = "invalid"
    """Whether a number may be infinite (a v1 quirk: only its order, or its side of a threshold, counts)."""
    all_numbers: Literal["invalid", "allowed"] = "allowed"
    """For text: what a column is whose filled cells are all numbers. invalid: the published reader takes it for
    numbers, on which the published grader fails (a v1 quirk)."""
    alias: str = ""
    """Another name that the column may have in a submission, in place of its own."""

    @model_validator(mode="after")
    def _named(self) -> Columns:
        if bool(self.names) == self.from_sample:
            raise ValueError("give either names or from_sample = true")
        if self.alias and len(self.names) != 1:
            raise ValueError("an alias belongs to a single column")
        return self


class RowSum(TomlFacts):
    """Each row's prediction columns must add up to `total`: |sum - total| <= atol + rtol * |total|."""

    total: float = 1.0
    atol: float = 1e-6
    rtol: float = 1e-5


class Submission(TomlFacts):
    """The submission format that the grader requires and the validation endpoint checks."""

    id: list[str]
    """The column or columns that name a row."""
    columns: list[Columns] = Field(min_length=1)
    """The prediction columns."""
    rows: Literal["one-per-id", "any-per-id", "any"] = "one-per-id"
    """any-per-id: several rows may share an id (each id must occur); any: however many rows there are, as many are
    scored, and with align = "id" their ids must be known (a v1 quirk). Such competitions have a grade.py."""
    align: Literal["id", "position", "sorted", "sorted-known", "file"] = "id"
    """position: rows are compared in the order of test.csv and ids are not read (a v1 quirk, see issues). sorted:
    where the ids are not those of the test set, rows are compared in ascending order of the ids (a v1 quirk).
    sorted-known: the same, but only for ids that are lacking or repeated; unknown ones are refused (a v1 quirk). file:
    ids are checked as ever, but grade.py gets the rows as they stand in the file (a v1 quirk)."""
    extra_ids: Literal["reject", "ignore"] = "reject"
    """ignore: rows beyond the expected ids may stand, since only some rows of the sample submission are scored."""
    extra_columns: Literal["ignore", "reject"] = "ignore"
    """What happens to columns beyond id and predictions."""
    id_first: bool = False
    """The id columns must be the first ones (a v1 quirk)."""
    in_order: bool = False
    """The prediction columns must stand in the declared order (a v1 quirk)."""
    by_place: bool = False
    """The prediction columns are taken in the order of the file, whichever name stands over them (a v1 quirk)."""
    row_sum: RowSum | None = None
    """Each row must add up, as class probabilities do."""
    unique_ids: bool = True
    """False: the key is a text that may repeat; equal keys are matched in order of appearance."""
    numeric_ids: bool = False
    """Ids are whole numbers however they are written: 0300 and 300 are the same."""

    @field_validator("id", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class Answers(TomlFacts):
    """Where the answers are and which of their columns the grader needs."""

    file: str = "test.csv"
    """Path below prepared/private."""
    id: list[str] = []
    """The answers' id columns; empty: the same as the submission's."""
    columns: list[str] = []
    """Further columns for grade.py, read with inferred types; empty: the submission's columns, same types."""
    text: list[str] = []
    """Those of `columns` that are read as text without any guessing."""

    @field_validator("id", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class Metric(TomlFacts):
    """How predictions become one number."""

    name: str
    """A function of mlebench.metrics, or "custom" when grade.py computes the score."""
    title: str
    """The name people know it by."""
    higher_is_better: bool
    """Direction of the leaderboard."""
    perfect_score: float | None = None
    """The score of the answers submitted as predictions, to 5 decimals; none when it depends on the data."""
    mean_over_columns: bool = False
    """Score each prediction column alone and take the mean."""
    options: dict[str, Any] = {}
    """Keyword options handed to the metric."""


class Issue(TomlFacts):
    """A known leak, defect or quirk: what is wrong, how bad, what the mended edition does about it."""

    kind: Literal["leak", "defect", "quirk", "note"]
    """leak: answers can be got at. defect: wrong or misleading. quirk: odd but harmless. note: good to know."""
    severity: Literal["high", "medium", "low"]
    """high: decides scores. medium: can change them. low: hardly matters."""
    what: str
    """What is wrong in v1."""
    mended: str = ""
    """What a v2 would do about it, or does where there is one; empty when nothing can or need be done."""


class Data(TomlFacts):
    """Where raw data can come from and what the prepared folder looks like."""

    sources: list[Literal["kaggle", "synthetic", "bundled"]] = ["kaggle", "synthetic"]
    """bundled: made from data that ships with an installed library; then bundled.py stands in for synthetic.py."""
    sample_submission: str = "public/sample_submission.csv"
    """Path below prepared/ of the plain sample submission."""
    raw_gb: float | None = None
    """Size of Kaggle's files, unpacked, where known (some only roughly)."""
    prepared_gb: float | None = None
    """Size of the prepared data on real data, where known."""
    packed: bool = False
    """The recipe reads raw files through `mlebench.data` alone, so that they may stay in the zip they came in."""
    test_rows: int | None = None
    """Rows of a full submission on real data, where known (some only roughly)."""


class Facts(TomlFacts):
    """The schema of competition.toml."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Folder name and id; for Kaggle competitions Kaggle's own slug."""
    title: str
    """The name people know it by."""
    group: Literal["benchmark", "development", "practice", "own"]
    """benchmark: one of the 75. development: one of the 7. practice: ships with real data. own: a user's."""
    complexity: Literal["low", "medium", "high"] | None = None
    """How long an experienced engineer needs for a sensible solution (2 h, 2-10 h, more); benchmark only."""
    category: str
    """Field of the task, such as Tabular or Image Classification."""
    editions: list[Edition] = ["v1"]
    """Editions whose prepared data or grader differ; a v2 that equals v1 is not listed."""
    submission: Submission
    metric: Metric
    answers: Answers = Answers()
    data: Data = Data()
    issues: list[Issue] = []

    @model_validator(mode="after")
    def _complexity_for_benchmark(self) -> Facts:
        if (self.group == "benchmark") != (self.complexity is not None):
            raise ValueError("complexity belongs to benchmark competitions, and each of them needs one")
        return self


class Checksums(TomlFacts):
    """checksums.toml: md5 sums of the published benchmark's files, for real data only."""

    zip: str = ""
    """md5 of Kaggle's download."""
    public: dict[str, str] = {}
    private: dict[str, str] = {}


class Competition:
    """One competition folder, opened. Everything but the facts is read when it is asked for."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder = folder
        self.facts = facts

    @property
    def id(self) -> str:
        """Folder name and id."""
        return self.facts.id

    @property
    def title(self) -> str:
        """The name people know it by."""
        return self.facts.title

    @property
    def metric(self) -> Metric:
        """How predictions become one number."""
        return self.facts.metric

    @property
    def submission(self) -> Submission:
        """The submission format."""
        return self.facts.submission

    @property
    def id_columns(self) -> list[str]:
        """The submission's id columns."""
        return self.facts.submission.id

    def __repr__(self) -> str:
        return f"Competition({self.id!r})"

    @cached_property
    def description(self) -> str:
        """The task in our own words, as agents read it."""
        return self._read_text("description.md")

    @cached_property
    def checksums(self) -> Checksums | None:
        """The published benchmark's md5 sums, none where there are none to compare with."""
        path = self.folder / "checksums.toml"
        return load_facts(path, Checksums) if path.is_file() else None

    def prepare(self, raw: Path, public: Path, private: Path, *, edition: Edition = "v1") -> None:
        """Run the recipe: read `raw`, write what agents see to `public` and the answers to `private`."""
        self._function("prepare.py", "prepare")(raw, public, private, edition=edition)

    def make_raw(self, raw: Path, *, seed: int = 0, scale: float = 1.0) -> None:
        """Write raw data of the exact shape of Kaggle's download: made up, or bundled real data."""
        import numpy as np

        name = "bundled.py" if "bundled" in self.facts.data.sources else "synthetic.py"
        self._function(name, "make_raw")(raw, np.random.default_rng(seed), scale)

    @property
    def has_grader(self) -> bool:
        """Whether the folder brings its own grade.py."""
        return (self.folder / "grade.py").is_file()

    @cached_property
    def grader(self) -> ModuleType:
        """The module grade.py, with any of these functions.

        `grade(submission, answers) -> float` scores; `check(submission)` raises InvalidSubmissionError for cells
        whose format the declared columns cannot say; `perfect(answers)` makes the best submission, where the
        answers do not have the submission's columns. `read_answers(path) -> DataFrame` reads an answers file that is
        no table with one row per submission row; what it returns has the submission's id columns, as text.
        """
        return self._module("grade.py")

    def _read_text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise CompetitionError(f"{self.folder / name} is missing; every competition needs it.") from None

    def _module(self, name: str) -> ModuleType:
        path = self.folder / name
        module_name = f"mlebench_competitions.{self.id}.{path.stem}"
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise CompetitionError(f"{path} is missing; the competition cannot do without it.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
        return module

    def _function(self, file: str, name: str) -> Callable[..., Any]:
        function = getattr(self._module(file), name, None)
        if not callable(function):
            raise CompetitionError(f"{self.folder / file} has no function {name}().")
        return function


def load_competition(folder: Path) -> Competition:
    """Open one competition folder."""
    facts = load_facts(folder / "competition.toml", Facts)
    if facts.id != folder.name:
        raise CompetitionError(f"{folder / 'competition.toml'}, key id: {facts.id!r} must equal the folder's name.")
    return Competition(folder, facts)
