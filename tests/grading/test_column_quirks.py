"""Columns by another name or in another place, infinite numbers, and ids that stand in for others."""

from __future__ import annotations

import pytest

BOTH = {
    "columns": '{ names = ["y", "z"], type = "number" }',
    "rules": "by_place = true",
    "metric": "roc_auc",
    "sample": "id,y,z\na,0,0\nb,0,0\nc,0,0\nd,0,0\n",
    "answers": "id,y,z\na,0,1\nb,0,1\nc,1,0\nd,1,0\n",
}


def test_columns_by_place(contest) -> None:
    own = contest(**BOTH)
    assert own.score("id,y,z\na,0,1\nb,0,1\nc,1,0\nd,1,0\n") == 1.0
    swapped = "z,id,y\n0,a,1\n0,b,1\n1,c,0\n1,d,0\n"
    assert own.score(swapped) == 1.0  # the first prediction column is scored as y, whatever its name
    assert any("order of the file" in warning for warning in own.validate(own.write(swapped)).warnings)
    assert own.refusal("id,y,x\na,0,1\nb,0,1\nc,1,0\nd,1,0\n") == "missing_columns"


def test_an_alias(contest) -> None:
    own = contest(columns='{ names = ["y"], type = "number", min = 0, max = 1, alias = "target" }')
    good = own.sample.read_text()
    assert own.score(good) == own.score(good.replace("y", "target", 1))
    rows = good.splitlines()
    both = "\n".join([rows[0] + ",target", *(row + ",0.5" for row in rows[1:])]) + "\n"
    assert own.refusal(both) == "duplicate_columns"
    assert own.refusal(good.replace("y", "x", 1)) == "missing_columns"


@pytest.mark.parametrize(("infinite", "fine"), [("allowed", True), ("invalid", False)])
def test_infinite_numbers(contest, infinite: str, fine: bool) -> None:
    own = contest(columns=f'{{ names = ["y"], type = "number", infinite = "{infinite}" }}')
    rows = own.sample.read_text().splitlines()
    text = "\n".join([*rows[:-1], rows[-1].split(",")[0] + ",-inf"]) + "\n"
    if fine:
        own.score(text)
    else:
        assert own.refusal(text) == "not_finite"


def test_known_ids_may_stand_in_for_others(contest) -> None:
    own = contest(
        rules='align = "sorted-known"',
        sample="id,y\na,0\nb,0\nc,0\nd,0\n",
        answers="id,y\na,0\nb,0\nc,1\nd,1\n",
    )
    assert own.score("id,y\nd,0.9\nc,0.8\na,0.1\nb,0.2\n") == 1.0
    # In ascending order of the ids: a, b, b, d against a, b, c, d.
    assert own.score("id,y\nb,0.7\nd,0.8\nb,0.7\na,0.1\n") == 0.875
    assert own.refusal("id,y\nx,0.9\nc,0.8\na,0.1\nb,0.2\n") == "unknown_ids"
    assert own.refusal("id,y\nc,0.8\na,0.1\nb,0.2\n") == "row_count"
