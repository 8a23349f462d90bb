"""`mlebench leaderboard`: a competition's archived figures, and where a score would stand."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mlebench.cli.app import app
from mlebench.cli.options import CompetitionsDirOption, DataDirOption, JsonOption, SplitOption, data_dir, registry

if TYPE_CHECKING:
    from mlebench.grading.leaderboard import Leaderboard

_FIGURES = ("higher_is_better", "teams", "gold", "silver", "bronze", "median", "source", "date", "note", "fetched")


class _ShowUnlessNamed(TyperGroup):
    """`mlebench leaderboard ID` is short for `mlebench leaderboard show ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        return super().parse_args(ctx, args)


boards = typer.Typer(
    cls=_ShowUnlessNamed,
    no_args_is_help=True,
    help="Archived leaderboards, and fetching whole ones. `mlebench leaderboard ID` is short for `... show ID`.",
)
app.add_typer(boards, name="leaderboard")


@boards.command("fetch")
def fetch(
    ids: Annotated[list[str] | None, typer.Argument(help="Competition ids.", show_default=False)] = None,
    split: SplitOption = None,
    accept_different: Annotated[
        bool, typer.Option("--accept-different", help="Use a board that does not fit the archived thresholds.")
    ] = False,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch whole leaderboards from Kaggle into the data directory, without names of teams.

    Ranks and percentiles are then read off them; medal thresholds stay the archived ones.
    """
    from mlebench.cli import render
    from mlebench.cli.downloads import stoppable, teller
    from mlebench.data.kaggle.errors import KaggleError
    from mlebench.data.kaggle.leaderboard import fetch_leaderboard
    from mlebench.errors import MlebenchError, UsageError

    chosen = registry(competitions_dir).select(ids or [], split)
    if not chosen:
        raise UsageError("Say whose leaderboard to fetch: competition ids, or --split lite.")
    where, console = data_dir(data_dir_option), render.console(stderr=True)
    fetched, failed = [], []
    with stoppable(console, "What was fetched is kept."):
        for place, one in enumerate(chosen):
            concerned = [one]
            try:
                home = where.paths(one.id).home
                fetched.append(fetch_leaderboard(one, home, accept_different=accept_different, tell=teller(console)))
                line = f"[bold]{one.id}[/bold]: {fetched[-1].teams:,} teams, {render.escape(fetched[-1].source)}"
            except MlebenchError as error:
                if isinstance(error, KaggleError) and error.for_all:
                    concerned = chosen[place:]
                failed += [{"competition": other.id, "message": str(error)} for other in concerned]
                line = f"[red]failed[/red] {one.id}: {render.escape(str(error))}"
            if len(concerned) > 1:
                line += f"\nThe other {len(concerned) - 1:,} were not asked for: the answer would be the same."
            if not as_json:
                console.print(line)
            if len(concerned) > 1:
                break
    if as_json:
        render.print_json({"fetched": [one.model_dump(mode="json") for one in fetched], "failed": failed})
    if failed:
        sys.exit(1)


@boards.command("show")
def show(
    competition: Annotated[str, typer.Argument(help="A competition id.")],
    score: Annotated[
        float | None, typer.Option("--score", help="Where would this score stand?", show_default=False)
    ] = None,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a competition's medal thresholds, and where a score would stand among the archived teams."""
    from mlebench.cli import render
    from mlebench.errors import UsageError
    from mlebench.grading.leaderboard import load_leaderboard

    if score is not None and not math.isfinite(score):
        raise UsageError(f"--score must be a finite number, not {score}.")
    found = registry(competitions_dir).get(competition)
    home = data_dir(data_dir_option).paths(found.id).home
    board = load_leaderboard(found.folder, found.metric.higher_is_better, home)
    place = None if score is None else _place(board, score)
    if as_json:
        figures = {key: getattr(board, key) for key in _FIGURES}
        render.print_json({"competition": found.id, **figures, "rank_table": bool(board.ranks), "standing": place})
        return
    _show(found.id, found.metric.title, board, score, place)


def _place(board: Leaderboard, score: float) -> dict[str, Any]:
    """Where the score would stand; rank and percentile are null where no rank table is archived."""
    standing, medal = board.standing(score), board.medal(score)
    return {
        "score": score,
        "medal": medal.value if medal else None,
        "above_median": board.above_median(score),
        "rank": standing.rank if standing else None,
        "rank_low": standing.rank_low if standing else None,
        "rank_high": standing.rank_high if standing else None,
        "percentile": standing.percentile if standing else None,
    }


def _show(name: str, metric: str, board: Leaderboard, score: float | None, place: dict[str, Any] | None) -> None:
    from rich.table import Table

    from mlebench.cli import render
    from mlebench.reporting.sketch import sketch
    from mlebench.text import standing_text

    console = render.console()
    direction = "higher" if board.higher_is_better else "lower"
    table = Table(show_header=False, box=None, pad_edge=False)
    rows = [("competition", name), ("metric", f"{metric} ({direction} is better)")]
    rows += [(key, render.number(getattr(board, key))) for key in ("gold", "silver", "bronze", "median")]
    rows += [("teams", f"{board.teams:,}" if board.teams else "unknown"), ("source", f"{board.source} ({board.date})")]
    if board.fetched:
        rows.append(("ranks", f"{board.fetched}; thresholds are the archived ones"))
    elif board.note:
        rows.append(("note", board.note))
    if place is not None:
        median = "above the median" if place["above_median"] else "not above the median"
        rows.append(("", ""))
        rows.append(("your score", f"{render.number(score)}: {place['medal'] or 'no'} medal, {median}"))
        found = standing_text(place["rank"], place["rank_low"], place["rank_high"], board.teams, place["percentile"])
        rows.append(("standing", found))
    for key, value in rows:
        table.add_row(f"[dim]{key}[/dim]  ", render.escape(value))
    console.print(table)
    lines = sketch(board, score)
    if lines:
        console.print()
        console.print("\n".join(lines), markup=False)
