"""Box lists: what comes out is what was written, and every fault is named with its row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.boxes import format_boxes, parse_boxes

POINT = ["label", "x", "y"]


def parse(*cells: object, **options):
    return parse_boxes(cells, POINT, column="boxes", **options)


def test_groups_are_flat_and_know_their_row() -> None:
    found = parse("1 2 3 4 5 6", "", float("nan"), "7 8 9.5")
    assert found.row.tolist() == [0, 0, 3]
    assert found["label"].tolist() == [1, 4, 7]
    assert found.stacked(["y", "x"]).tolist() == [[3, 2], [6, 5], [9.5, 8]]


def test_text_fields_keep_their_text() -> None:
    found = parse("U+306F 2 3 U+0031 4 5", text=["label"])
    assert found["label"].tolist() == ["U+306F", "U+0031"]
    assert found["x"].tolist() == [2.0, 4.0]


def test_no_cell_at_all() -> None:
    assert len(parse()) == 0
    assert parse("", "").stacked(["x", "y"]).shape == (0, 2)


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        ("1 2", "no multiple of 3"),
        ("1 2 3 4", "no multiple of 3"),
        ("1 2 3 ", "no multiple of 3"),
        ("1  3", "''"),
        ("  ", "exactly one blank"),
        (" ", "no multiple of 3"),
        ("1 2 three", "'three'"),
        ("1 2 nan", "not finite"),
        ("1 -inf 3", "not finite"),
        ("1,2,3", "no multiple of 3"),
        ("1 2 " + "9" * 400, "not finite"),
        ("1 2 " + "x" * 400, "..."),
    ],
)
def test_faults_are_named(cell: str, part: str) -> None:
    with pytest.raises(InvalidSubmissionError, match="Column boxes holds in row 2") as caught:
        parse("1 2 3", cell)
    assert caught.value.reason is Reason.BAD_FORMAT
    assert part in str(caught.value)
    assert len(str(caught.value)) < 200


def test_white_space_may_be_free() -> None:
    assert parse("  1\t2   3 ", single_blanks=False)["y"].tolist() == [3.0]


def test_infinite_numbers_may_be_allowed() -> None:
    assert np.isnan(parse("1 nan 3", finite=False)["x"]).all()


@given(st.lists(st.lists(st.tuples(st.integers(0, 99), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1)))
def test_round_trip(cells: list[list[tuple[int, float, float]]]) -> None:
    groups = [(row, *group) for row, cell in enumerate(cells) for group in cell]
    columns = [np.array(column) for column in zip(*groups, strict=True)] or [np.zeros(0)] * 4
    rows, written = format_boxes(columns[0], columns[1:])
    assert rows.tolist() == list(range(len(cells)))
    found = parse(*written)
    assert [tuple(values) for values in zip(found.row, *found.fields.values(), strict=True)] == groups


@given(st.lists(st.one_of(st.floats(allow_nan=False), st.integers()).map(repr), min_size=3, max_size=9))
def test_many_numbers_are_read_as_few_are(tokens: list[str]) -> None:
    tokens = [*(token for token in tokens if abs(float(token)) < 1e300), "1", "+2.50e-1", "00.3"]
    cell = " ".join((tokens * 1000)[: 3 * (len(tokens) * 1000 // 3)])
    many = parse(cell).stacked(POINT).ravel()
    assert np.array_equal(many, [float(token) for token in cell.split()])


@pytest.mark.parametrize("token", ["True", "1_0", "0x1", "", "1\n2", "--1", "1e", "٣", "1,5", '"1"'])
def test_many_numbers_are_refused_as_few_are(token: str) -> None:
    cells = ["1 2 3"] * 2000 + [f"1 {token} 3"]
    try:
        wanted = float(token)
    except ValueError:
        with pytest.raises(InvalidSubmissionError, match="row 2001 the x"):
            parse(*cells)
    else:
        assert parse(*cells)["x"][-1] == wanted
