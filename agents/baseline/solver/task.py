"""Reading the task: what is asked for each row of the sample submission, and the tables that help to answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from solver.tables import MOST_CELLS, TableFile, column_names, find_tables, read_table, read_text_table, tables_at

log = logging.getLogger(__name__)

CLASS_OVERLAP = 0.9
"""Share of the sample's columns that must be values of a training column to be taken for its classes."""
MOST_CLASSES = 2_000
CELLS_OF_A_KEY = 3
"""Leading columns of the test table that may be joined with '_' into the sample's id."""


@dataclass
class Task:
    """One competition as seen from its public files."""

    root: Path
    sample: pd.DataFrame
    """The sample submission, all text."""
    ids: list[str]
    """Columns of the sample that are given."""
    targets: list[str]
    """Columns of the sample that are asked for."""
    train: pd.DataFrame | None = None
    test: pd.DataFrame | None = None
    """One row for each row of the sample, in its order; none when the rows cannot be matched."""
    has_test_table: bool = False
    """False: `test` is nothing but the sample's id columns."""
    label: str | None = None
    """Training column whose classes are the target columns."""
    description: str = ""
    seed: int = 0


def read_sample(path: Path) -> pd.DataFrame:
    """The sample submission (plain, gzipped or zipped) as text."""
    return read_text_table(tables_at(path)[0])


def find_sample(root: Path) -> Path | None:
    """The file whose name says that it is a sample submission."""
    samples = [table.path for table in find_tables(root) if _is_sample(table)]
    return min(samples, key=lambda path: len(path.name), default=None)


def read_task(root: Path, sample: pd.DataFrame, instructions: Path | None = None, seed: int = 0) -> Task:
    """Find the training and test tables, and tell the sample's given columns from those asked for."""
    tables = [table for table in find_tables(root) if not _is_sample(table)]
    test_file = _test_file(tables, sample)
    test_names = column_names(test_file) if test_file else []
    ids = [name for name in sample if name in test_names] or [sample.columns[0]]
    targets = [name for name in sample if name not in ids]
    task = Task(root, sample, ids, targets, description=_description(root, instructions), seed=seed)
    if test_file:
        task.test = _aligned(read_table(test_file, as_text=tuple(ids)), sample, ids)
        task.has_test_table = task.test is not None
        log.info("test table %s, matched to the sample: %s", test_file.name, task.has_test_table)
    if task.test is None:
        task.test = sample[ids].copy()
    for file in sorted(tables, key=lambda table: ("train" not in table.words, table.name != "train", table.name)):
        if file is not test_file and "test" not in file.words:
            task.label = _find_label(file, task, test_names)
            if task.label is not None or set(targets) <= set(column_names(file)):
                task.train = read_table(file, as_text=tuple(ids), cells=MOST_CELLS, seed=seed)
                log.info("training table %s: %d rows, columns %s", file.name, len(task.train), list(task.train)[:40])
                break
    log.info("given %s, asked %s, label column %s", ids, targets[:20], task.label)
    return task


def _is_sample(table: TableFile) -> bool:
    return "sample" in table.name and "sub" in table.name


def _description(root: Path, instructions: Path | None) -> str:
    texts = [path for path in (root / "description.md", instructions) if path and path.is_file()]
    return texts[0].read_text(encoding="utf-8", errors="replace") if texts else ""


def _test_file(tables: list[TableFile], sample: pd.DataFrame) -> TableFile | None:
    """The table named test; among several the one that shares most columns with the sample."""
    files = [table for table in tables if "test" in table.words and "train" not in table.words]
    return max(
        files, key=lambda table: (len(set(column_names(table)) & set(sample)), table.name == "test"), default=None
    )


def _find_label(file: TableFile, task: Task, test_names: list[str]) -> str | None:
    """The column of this table whose values are the sample's target columns."""
    wanted = set(task.targets)
    if not 2 <= len(wanted) <= MOST_CLASSES or wanted <= set(column_names(file)):
        return None
    head = read_text_table(file, rows=200_000)
    for name in head:
        if name not in test_names and name not in task.ids:
            values = set(head[name].unique())
            if len(values) <= 2 * len(wanted) and len(values & wanted) >= CLASS_OVERLAP * len(wanted):
                return name
    return None


def _aligned(test: pd.DataFrame, sample: pd.DataFrame, ids: list[str]) -> pd.DataFrame | None:
    """The test rows in the sample's order, or none when they cannot be matched."""
    shared = [name for name in ids if name in test]
    if not shared:
        if len(test) != len(sample):
            return None
        key = test.iloc[:, 0].astype(str)
        for width in range(1, CELLS_OF_A_KEY + 1):
            if (key.to_numpy() == sample[ids[0]].to_numpy()).all():
                return test
            if width < test.shape[1]:
                key = key + "_" + test.iloc[:, width].astype(str)
        return None
    if len(test) == len(sample) and all((test[n].to_numpy() == sample[n].to_numpy()).all() for n in shared):
        return test
    # A key that occurs several times is matched in order of appearance.
    wanted = sample[shared].assign(_turn=sample.groupby(shared).cumcount())
    given = test.assign(_turn=test.groupby(shared).cumcount())
    merged = wanted.merge(given, on=[*shared, "_turn"], how="left", indicator="_found", validate="one_to_one")
    if not (merged["_found"] == "both").all():
        return None
    return merged.drop(columns=["_turn", "_found"])
