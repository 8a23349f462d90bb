"""Options that several verbs share, spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from mlebench.data.paths import DataDir
    from mlebench.registry import Registry

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar=["MLEBENCH_DATA_DIR", "MLE_BENCH_DATA_DIR"],
        help="Where competition data lives. Default: ~/.cache/mle-bench/data.",
        show_default=False,
    ),
]
CompetitionsDirOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--competitions-dir",
        help="A folder of your own competitions (repeatable). MLEBENCH_COMPETITIONS_DIR names some for every command.",
        show_default=False,
    ),
]
CompetitionOption = Annotated[
    list[str] | None,
    typer.Option("--competition", "-c", help="A competition id (repeatable).", show_default=False),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split", help="all, lite, low, medium, high, dev, practice, or a text file of ids.", show_default=False
    ),
]
EditionOption = Annotated[
    Literal["v1", "v2"],
    typer.Option(
        "--edition",
        help="v1: as published, row for row. v2 is for known leaks and defects mended; no competition has it yet.",
    ),
]
RunsDirOption = Annotated[Path, typer.Option("--runs-dir", help="The folder in which runs lie.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def registry(competitions_dir: list[Path] | None) -> Registry:
    """The registry for these options."""
    from mlebench.registry import Registry

    return Registry(competitions_dir or [])


def data_dir(option: Path | None) -> DataDir:
    """The data directory for this option."""
    from mlebench.data.paths import DataDir

    return DataDir.locate(option)
