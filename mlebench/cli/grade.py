"""`mlebench grade` and `mlebench validate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlebench.cli.app import app
from mlebench.cli.options import (
    CompetitionsDirOption,
    DataDirOption,
    EditionOption,
    JsonOption,
    data_dir,
    registry,
)

if TYPE_CHECKING:
    from mlebench.grading.report import GradeReport

OneCompetition = Annotated[
    str | None, typer.Option("-c", "--competition", help="The competition; inferred when left out.", show_default=False)
]


@app.command("grade")
def grade(
    what: Annotated[
        str, typer.Argument(help="A submission (.csv, .csv.gz, .zip, .parquet), a .jsonl list of them, or a run.")
    ],
    competition: OneCompetition = None,
    edition: EditionOption = "v1",
    runs_dir: Annotated[Path, typer.Option("--runs-dir", help="Where runs live.")] = Path("runs"),
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a submission against the private answers and say which medal it earns.

    Exit codes: 0 graded, 1 the grader itself failed, 2 invalid submission or wrong usage. For a list or a run an
    invalid submission is a result like any other, and the exit code speaks of the grading.
    """
    from mlebench.cli import render
    from mlebench.data.prepare import require_edition
    from mlebench.grading.batch import grade_list, group_report, read_submission_list
    from mlebench.grading.grade import Grader
    from mlebench.grading.infer import infer_competition
    from mlebench.grading.report import Outcome

    known, where = registry(competitions_dir), data_dir(data_dir_option)
    path = Path(what)
    if path.suffix == ".jsonl":
        entries = read_submission_list(path)
        console = render.console(stderr=True)
        with render.progress(console, "Grading", len(entries)) as advance:
            reports = []
            for report in grade_list(entries, known, where, edition):
                reports.append(report)
                advance()
        _show_many(reports, as_json, group_report)
        sys.exit(1 if any(r.outcome is Outcome.GRADER_ERROR for r in reports) else 0)
    if _is_run(what, runs_dir):
        from mlebench.running.grading import regrade_run

        reports = regrade_run(what, runs_dir, known)
        _show_many(reports, as_json, group_report)
        sys.exit(1 if any(r.outcome is Outcome.GRADER_ERROR for r in reports) else 0)
    chosen = known.get(competition) if competition else infer_competition(path, known, where, edition)
    require_edition(chosen, edition)
    report = Grader(chosen, where.paths(chosen.id, edition), edition=edition).grade(path)
    if as_json:
        render.print_json(report.to_json())
    else:
        show_report(report, chosen.metric.title, inferred=competition is None)
    sys.exit({Outcome.GRADED: 0, Outcome.GRADER_ERROR: 1}.get(report.outcome, 2))


@app.command("validate")
def validate(
    submission: Annotated[Path, typer.Argument(help="A submission file.")],
    competition: OneCompetition = None,
    edition: EditionOption = "v1",
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a submission's format only: what an agent may ask. Never looks at the answers.

    Exit codes: 0 valid, 2 invalid.
    """
    from mlebench.cli import render
    from mlebench.errors import NotPreparedError
    from mlebench.grading.infer import infer_competition
    from mlebench.grading.validate import validate_file

    known, where = registry(competitions_dir), data_dir(data_dir_option)
    chosen = known.get(competition) if competition else infer_competition(submission, known, where, edition)
    sample = where.paths(chosen.id, edition).prepared / chosen.facts.data.sample_submission
    if not sample.is_file():
        raise NotPreparedError(
            f"{chosen.id} is not prepared in {where.root}; run `mlebench prepare {chosen.id}` first."
        )
    result = validate_file(submission, chosen, sample)
    if as_json:
        render.print_json({"competition": chosen.id, **result.model_dump(mode="json")})
    else:
        word = "[green]valid[/green]" if result.valid else f"[red]invalid[/red] ({result.reason})"
        console = render.console()
        console.print(f"{word} {chosen.id}: {render.escape(result.message)}")
        for warning in result.warnings:
            console.print(f"[yellow]note[/yellow] {render.escape(warning)}")
    sys.exit(0 if result.valid else 2)


def show_report(report: GradeReport, metric: str, *, inferred: bool = False) -> None:
    """One graded submission, for people."""
    from rich.table import Table

    from mlebench.cli import render
    from mlebench.text import synthetic_part

    console = render.console()
    if not report.valid:
        style = "red"
        console.print(
            f"[{style}]{report.outcome.value.replace('_', ' ')}[/{style}] {report.competition}: "
            f"{render.escape(report.message or '')}"
        )
        return
    medal = (
        f"[bold]{report.medal.value} medal[/bold]{synthetic_part(report.synthetic, 1)}" if report.medal else "no medal"
    )
    table = Table(show_header=False, box=None, pad_edge=False)
    direction = "higher" if report.higher_is_better else "lower"
    rows = [
        ("competition", report.competition + (" (inferred from columns and ids)" if inferred else "")),
        ("score", f"[bold]{render.number(report.score)}[/bold] ({metric}, {direction} is better)"),
        ("medal", medal + (", above the median" if report.above_median else ", not above the median")),
        ("standing", _standing(report)),
        (
            "thresholds",
            f"gold {render.number(report.thresholds.gold)}, silver {render.number(report.thresholds.silver)}, "
            f"bronze {render.number(report.thresholds.bronze)}, median {render.number(report.thresholds.median)}",
        ),
        ("data", _data_word(report) + f", edition {report.edition}"),
    ]
    for key, value in rows:
        table.add_row(f"[dim]{key}[/dim]  ", value)
    console.print(table)
    for warning in report.warnings:
        console.print(f"[yellow]note[/yellow] {render.escape(warning)}")


def _standing(report: GradeReport) -> str:
    from mlebench.text import standing_text

    fetched = f", on the board {report.rank_source}" if (report.rank_source or "").startswith("fetched") else ""
    return standing_text(report.rank, report.rank_low, report.rank_high, report.teams, report.percentile) + fetched


def _data_word(report: GradeReport) -> str:
    if report.synthetic:
        return "[yellow]synthetic: medals and ranks mean nothing[/yellow]"
    state = {True: "published checksums hold", False: "published checksums DIFFER", None: "not verified"}
    if report.data_source == "bundled":
        return "bundled real data"
    return f"{report.data_source or 'made by another tool'}, {state[report.data_verified]}"


def _is_run(what: str, runs_dir: Path) -> bool:
    return any((folder / "run.sqlite").is_file() for folder in (Path(what), runs_dir / what))


def _show_many(reports: list[GradeReport], as_json: bool, group_report: object) -> None:
    from rich.table import Table

    from mlebench import text
    from mlebench.cli import render

    assert callable(group_report)
    totals = group_report(reports)
    if as_json:
        render.print_json(totals)
        return
    table = Table()
    for heading in ("Competition", "Outcome", "Score", "Medal", "Percentile", "Remark"):
        table.add_column(heading, overflow="fold")
    for report in reports:
        percentile = f"{report.percentile:.1f}" if report.percentile is not None else "-"
        remark = report.message or ("synthetic data" if report.synthetic else "")
        table.add_row(
            report.competition,
            report.outcome.value,
            render.number(report.score),
            text.medal(report.medal, synthetic=report.synthetic, none="-"),
            percentile,
            render.escape(remark),
        )
    console = render.console()
    console.print(table)
    console.print(_total_line(totals))


def _total_line(totals: dict[str, Any]) -> str:
    from mlebench.text import plural, synthetic_part

    above, medals = totals["total_above_median"], totals["total_medals"]
    return (
        f"{totals['total_valid_submissions']} of {totals['total_runs']} valid, "
        f"{above} above the median{synthetic_part(totals['total_synthetic_above_median'], above)}, "
        f"{plural(medals, 'medal')}{synthetic_part(totals['total_synthetic_medals'], medals)}: "
        f"{totals['total_gold_medals']} gold, {totals['total_silver_medals']} silver, "
        f"{totals['total_bronze_medals']} bronze; over {plural(totals['competitions'], 'competition')}"
    )
