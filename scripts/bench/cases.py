"""Answers and submissions of the size of Kaggle's real test sets, made from the small synthetic ones.

The answers of the synthetic preparation are repeated under fresh ids until there are as many rows as on real data, and
their perfect submission is spoilt a little, so that it looks like a model's. Where the cost of grading lies in what the
cells hold (masks, boxes, long texts), `bench.contents` makes both files from scratch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.contents import CONTENTS
from mlebench.competition import Columns, Competition
from mlebench.conformance.contract import Contract
from mlebench.data.paths import DataDir, PreparedPaths

ASSUMED_ROWS = {
    "iwildcam-2019-fgvc6": 14_000,
    "multi-modal-gesture-recognition": 100,
    "smartphone-decimeter-2022": 35_000,
}
"""Where no figure is known: what the size of the raw data and the split suggest."""
_CHUNK = 500_000


@dataclass(frozen=True)
class Case:
    """A competition with answers and a submission of real size on disk."""

    competition: Competition
    data_dir: DataDir
    submission: Path
    rows: int
    """Rows of the submission."""

    @property
    def paths(self) -> PreparedPaths:
        """Where the answers are."""
        return self.data_dir.paths(self.competition.id)


def make_case(competition: Competition, cache: Path, *, tell: Callable[[str], None] = lambda _: None) -> Case:
    """Make the files, or find those that the same code and facts made before."""
    home = cache / "data" / competition.id
    submission = cache / "submissions" / f"{competition.id}.csv"
    mark = home / "made.json"
    stamp = _stamp(competition)
    data_dir = DataDir(cache / "data")
    made = json.loads(mark.read_text()) if mark.is_file() else {}
    if made.get("stamp") != stamp or not submission.is_file():
        tell(f"making {competition.id}")
        shutil.rmtree(home, ignore_errors=True)
        submission.parent.mkdir(parents=True, exist_ok=True)
        rows = _make(competition, cache, data_dir.paths(competition.id), submission)
        made = {"stamp": stamp, "rows": rows}
        mark.write_text(json.dumps(made))
    return Case(competition, data_dir, submission, made["rows"])


def _make(competition: Competition, cache: Path, paths: PreparedPaths, submission: Path) -> int:
    rng = np.random.default_rng(zlib.crc32(competition.id.encode()))
    scratch = cache / "synthetic" / competition.id
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    small = Contract(competition, scratch)
    facts = competition.facts
    for source in (small.sample, small.grader.answers_path):
        target = paths.prepared / source.relative_to(small.paths.prepared)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    answers = paths.private / facts.answers.file
    rows = facts.data.test_rows or ASSUMED_ROWS.get(competition.id) or 0
    if competition.id in CONTENTS:
        count = CONTENTS[competition.id](answers, submission, rows, rng)
    else:
        count = _repeat(small, answers, submission, rows, rng)
    shutil.rmtree(scratch)
    return count


def _repeat(small: Contract, answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """Repeat the small answers and their perfect submission, row by row or else as whole tables."""
    rules, facts = small.competition.submission, small.competition.facts
    best = small.perfect()
    truth = pd.read_csv(answers, dtype=str, keep_default_na=False)
    keys = [(facts.answers.id or rules.id)[0], rules.id[0]]
    pairs = [(truth, keys[0]), (best, keys[1])]
    copies = max(1, -(-rows // len(best)))
    in_step = len(truth) == len(best) and all(
        name in frame and frame[name].astype(str).tolist() == truth[keys[0]].tolist() for frame, name in pairs
    )
    # A group of rows must stay whole.
    end = rows if in_step and rows and not _group_ids(truth, keys[0]) else copies * len(best)
    truth, best = (_copies(frame, name, copies) for frame, name in pairs)
    _write(truth[:end] if in_step else truth, answers)
    guess = _spoilt(best[:end], small.grader.columns, rng)
    _write(guess, submission)
    return len(guess)


def _copies(frame: pd.DataFrame, key: str, copies: int) -> pd.DataFrame:
    """The table again and again, its rows named anew each time: numbers go on counting, texts get a prefix."""
    big = pd.concat([frame] * copies, ignore_index=True)
    if key not in frame or copies == 1:
        return big
    number = np.repeat(np.arange(copies), len(frame))
    ids = frame[key].astype(str)
    if ids.str.fullmatch(r"[1-9]\d{0,14}|0").all():
        whole = np.tile(ids.astype(np.int64).to_numpy(), copies)
        big[key] = (whole + number * (whole.max() + 1)).astype(str)
    else:
        prefix = np.array(["" if copy == 0 else f"{copy:x}" for copy in range(copies)], dtype=object)
        for name in (key, *_group_ids(frame, key)):
            big[name] = prefix[number] + np.tile(frame[name].astype(str).to_numpy(object), copies)
    return big


def _group_ids(frame: pd.DataFrame, key: str) -> list[str]:
    """Columns that hold the id of a group, with which the id of each of its rows begins."""

    def begins(cells: pd.Series) -> bool:
        pairs = zip(frame[key].astype(str).tolist(), cells.astype(str).fillna("").tolist(), strict=True)
        return all(cell and one.startswith(cell + "_") for one, cell in pairs)

    return [name for name in frame if name != key and begins(frame[name])]


def _spoilt(frame: pd.DataFrame, columns: dict[str, Columns], rng: np.random.Generator) -> pd.DataFrame:
    """A model's predictions: numbers near the truth with all their digits, some classes and texts of other rows."""
    frame = frame.copy()
    rows = len(frame)
    numeric = [name for name, spec in columns.items() if spec.type == "number"]
    sums = len(numeric) > 1 and np.allclose(frame[numeric].astype(np.float64).sum(axis=1), 1)
    for name, spec in columns.items():
        if spec.type == "number":
            values = pd.to_numeric(frame[name], errors="coerce").fillna(0.0).to_numpy(np.float64)
            if sums or (np.nanmin(values) >= 0 and np.nanmax(values) <= 1):
                frame[name] = 0.4 * values + 0.6 * rng.random(rows)
            else:
                noisy = values + 0.3 * rng.standard_normal(rows) * (np.nanstd(values) or 1.0)
                low = spec.min if spec.min is not None else spec.above
                floor = -np.inf if low is None else low + (1e-6 if spec.above is not None else 0)
                frame[name] = np.clip(noisy, floor, np.inf if spec.max is None else spec.max)
        else:
            other = np.where(rng.random(rows) < 0.3, rng.integers(0, rows, rows), np.arange(rows))
            frame[name] = frame[name].to_numpy(object)[other]
    if sums:
        frame[numeric] = frame[numeric].div(frame[numeric].sum(axis=1), axis=0)
    return frame


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, chunksize=_CHUNK)


def _stamp(competition: Competition) -> str:
    """Changes with whatever the files depend on: the competition's folder and this package."""
    digest = hashlib.sha256()
    for folder in (competition.folder, Path(__file__).parent):
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name not in ("worker.py", "measure.py", "tables.py", "processes.py"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
