"""Totals: counting lines one by one and counting their summary come to the same, per model too."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlebench.gateway.totals import Totals

_CALLS = st.fixed_dictionaries(
    {
        "event": st.just("call"),
        "model": st.sampled_from(["a/b", "c/d"]),
        "outcome": st.sampled_from(["ok", "hung_up", "error"]),
        "seconds": st.integers(0, 9).map(float),
        "replayed": st.booleans(),
        "retries": st.integers(0, 3),
        "metered": st.booleans(),
        "usd": st.none() | st.integers(0, 99).map(float),
        **{name: st.integers(0, 999) for name in ("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning")},
    }
)


@given(st.lists(_CALLS, max_size=20))
def test_a_summary_line_stands_for_all_it_sums_up(lines: list[dict[str, Any]]) -> None:
    single, summed = Totals(), Totals()
    for line in lines:
        single.apply(line)
    for half in (lines[::2], lines[1::2]):
        part = Totals()
        for line in half:
            part.apply(line)
        summed.apply({"event": "many", **part.facts()})
    assert summed.usage("p", None) == single.usage("p", None)
    usage = single.usage("p", None)
    assert sum(part.tokens_in for part in usage.spent.values()) == usage.tokens_in
    assert sum(part.tokens_out for part in usage.spent.values()) == usage.tokens_out
    if usage.usd is not None:
        assert sum(part.usd or 0.0 for part in usage.spent.values()) == usage.usd
    assert set(usage.spent) == set(usage.models)
    assert {model for model, part in usage.spent.items() if part.usd is None} == set(usage.unpriced)


def test_a_summary_of_an_older_log_has_no_shares() -> None:
    older = Totals().facts()
    del older["spent"]
    total = Totals()
    total.apply({"event": "many", **older})
    assert total.spent == {}
