"""One self-contained HTML page about one or several runs: no request leaves it, and it needs no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from mlebench import __version__, text
from mlebench.duration import format_duration
from mlebench.errors import UsageError
from mlebench.reporting import wording
from mlebench.reporting.html_cards import competition_cards
from mlebench.reporting.html_marks import void
from mlebench.reporting.html_tables import competition_table, facts, fate_table, headline_table, summary_table
from mlebench.reporting.html_time import consumption_section, over_time_section
from mlebench.reporting.markup import Content, Html, element, join
from mlebench.reporting.model import RunSummary
from mlebench.reporting.statistics import Measure


def render_page(summaries: Sequence[RunSummary], now: datetime | None = None) -> str:
    """The page as text; `now` is the time it says it was made at."""
    style, script = _asset("page.css"), _asset("page.js")
    names = " · ".join(summary.run.name for summary in summaries)
    return Template(_asset("page.html")).substitute(
        generator=f"mlebench {__version__}",
        title=join([names, " – mlebench report"]),
        style=style,
        script=script,
        style_hash=_sha256(style),
        script_hash=_sha256(script),
        body=_body(summaries, names, now or datetime.now(UTC)),
    )


def write_page(path: Path, summaries: Sequence[RunSummary]) -> None:
    """Write the page aside and rename it, so that nobody ever reads half of it."""
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(render_page(summaries), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise UsageError(f"The page cannot be written to {path}: {error.strerror}.") from None


def _asset(name: str) -> str:
    return files("mlebench.reporting").joinpath(name).read_text(encoding="utf-8")


def _sha256(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _body(summaries: Sequence[RunSummary], names: str, now: datetime) -> Html:
    many = len(summaries) > 1
    parts = [_header(summaries, names), *(banner for summary in summaries for banner in _banners(summary, named=many))]
    if many:
        parts += [element("h2", "Runs side by side"), headline_table(summaries)]
    else:
        parts.append(_figures(summaries[0]))
    parts += over_time_section(summaries)
    parts += [element("h2", "Run facts"), facts(summaries), element("h2", "Summary")]
    parts += [summary_table(summary, named=many) for summary in summaries]
    parts += [element("h2", "Competitions"), competition_table(summaries)]
    parts.append(element("h2", "What became of the attempts"))
    parts += [fate_table(summary, named=many) for summary in summaries]
    parts += consumption_section(summaries)
    parts += [element("h2", "Score against the archived leaderboard"), *competition_cards(summaries)]
    return join([element("main", *parts), _footer(summaries, now)])


def _header(summaries: Sequence[RunSummary], names: str) -> Html:
    lines = []
    for summary in summaries:
        run, row = summary.run, summary.headline
        lines.append(
            element(
                "p",
                element("b", f"{run.name}: ") if len(summaries) > 1 else None,
                f"Agent {run.agent}{f' with {run.model}' if run.model else ''}: "
                f"{text.plural(row.competitions, 'competition')} × "
                f"{text.plural(len(run.seeds), 'seed')}, "
                f"{format_duration(run.time_limit_seconds)} each, edition {run.edition}, "
                "started ",
                _moment(run.created_at),
                class_="soft",
            )
        )
        if (network := wording.network_mark(summary)) is not None:
            lines.append(element("p", element("span", network, class_="tag alarm")))
    times = dict.fromkeys(s.at_seconds for s in summaries if s.at_seconds is not None)
    earlier = f", as of {', '.join(format_duration(at) for at in times)}" if times else ""
    return element(
        "header", element("span", f"mlebench report{earlier}", class_="eyebrow"), element("h1", names), *lines
    )


def _banners(summary: RunSummary, *, named: bool) -> list[Html]:
    banners = []
    for label, sentence in wording.warnings(summary):
        full = label == wording.NETWORK and summary.run.network == "full"
        alarm = " alarm" if full or label in (wording.SYNTHETIC, wording.EARLIER) else ""
        prefix = f"{summary.run.name}: " if named else ""
        content = element("p", element("strong", f"{prefix}{label}. "), sentence)
        banners.append(element("div", content, class_="banner" + alarm, role="note"))
    return banners


def _figures(summary: RunSummary) -> Html:
    row = summary.headline
    items = []
    for measure, label in wording.MEASURES.items():
        estimate = row.shares[measure]
        wide = measure is Measure.ANY_MEDAL
        meaningless = bool(summary.run.synthetic) and measure in wording.AGAINST_LEADERBOARD
        value = join([f"{text.mean(estimate)} ", element("small", f"± {text.sem(estimate)} %")])
        detail = f"{wording.over(row)} competitions, {text.plural(estimate.seeds, 'seed')}" if wide else None
        items.append(
            element(
                "li",
                element("span", label, class_="label"),
                element("span", void(value, meaningless), class_="value"),
                element("span", detail, class_="detail") if detail else None,
                element("span", "means nothing: synthetic data", class_="detail void-note") if meaningless else None,
                class_=f"{measure.value}{' wide' if wide else ''}",
            )
        )
    return join([element("ul", *items, class_="figures"), _figures_note(summary)])


def _figures_note(summary: RunSummary) -> Html:
    row = summary.headline
    sentences: list[Content] = [
        "Share of competitions, mean ± standard error over seeds (– with one seed: undefined).",
        f"{text.of(row.competitions_with_result, row.competitions)} competitions have a result for every seed.",
    ]
    if len(row.pass_at_k) > 1:
        curve = ", ".join(f"pass@{k} {text.percent(value)}" for k, value in row.pass_at_k.items())
        sentences.append(join(["Any medal within k attempts: ", void(curve, bool(summary.run.synthetic)), "."]))
    return element("p", join(sentences, " "), class_="note")


def _moment(at: datetime) -> Html:
    return element("time", f"{at:%Y-%m-%d %H:%M} UTC", datetime=f"{at:%Y-%m-%dT%H:%MZ}")


def _footer(summaries: Sequence[RunSummary], now: datetime) -> Html:
    rule = wording.MISSING_RULES[summaries[0].missing_rule]
    return element(
        "footer",
        element(
            "p",
            "Shares are shares of competitions per seed, then averaged over seeds; ± is the standard error of that "
            f"mean, sd / √k with ddof = 1. {rule} A submission earns only its highest medal; above median is strict. "
            "Ranks are estimates from archived leaderboards (~ between two archived ranks); percentile 100 is the top.",
        ),
        element("p", f"Made by mlebench {__version__} on ", _moment(now), "."),
    )
