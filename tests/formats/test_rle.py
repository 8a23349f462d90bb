"""Run lists equal the masks that a plain loop over pixels draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.rle import check_masks, decode_mask, encode_mask, intersection_areas, mask_runs, parse_masks

MASKS = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12))
PAIRS = st.lists(st.integers(0, 9), max_size=7)


def published_decoder(cell: str, size: int) -> np.ndarray:
    """The decoder as the sheets word it: numpy, one slice a run; AssertionError or ValueError when it refuses."""
    mask = np.zeros(size, dtype=np.uint8)
    if not cell.strip():
        return mask
    numbers = [int(token) for token in cell.split()]
    starts, lengths = np.asarray(numbers[0::2]), np.asarray(numbers[1::2], dtype=int)
    assert all(starts[:-1] <= starts[1:])
    assert (starts > 0).all() and (lengths > 0).all()
    starts = starts - 1
    ends = starts + lengths
    starts = np.broadcast_to(starts, np.broadcast_shapes(starts.shape, ends.shape))
    for low, high in zip(starts, ends, strict=True):
        assert not mask[low:high].any()
        mask[low:high] = 1
    return mask


@given(mask=MASKS, order=st.sampled_from(["C", "F"]))
def test_encode_and_decode_are_inverse(mask: np.ndarray, order: str) -> None:
    cell = encode_mask(mask, order=order)
    assert np.array_equal(decode_mask(cell, *mask.shape, order=order), mask)


def test_pixels_count_down_the_columns_or_along_the_rows() -> None:
    mask = np.array([[1, 0, 1], [1, 0, 0]])
    assert encode_mask(mask) == "1 2 5 1"
    assert encode_mask(mask, order="C") == "1 1 3 2"
    assert encode_mask(np.zeros((2, 3)), empty="-") == "-"


@given(numbers=PAIRS, size=st.integers(1, 30))
def test_any_cell_is_read_or_refused_as_published(numbers: list[int], size: int) -> None:
    cell = " ".join(map(str, numbers))
    runs = refused = None
    try:
        runs = parse_masks(["1 1", cell, ""], "mask")
    except InvalidSubmissionError as error:
        refused = error
        assert error.reason is Reason.BAD_FORMAT and "row 2" in str(error)
    # Runs that overlap are refused everywhere, also where the published decoder has cut them off before.
    try:
        wanted = published_decoder(cell, 40)
    except (AssertionError, ValueError):
        assert refused is not None
        return
    assert refused is None
    clipped = runs.clipped(size)
    assert np.array_equal(np.sort(clipped.select(np.array([1])).pixels()), np.flatnonzero(wanted[:size]))
    assert clipped.areas()[0] == 1 and clipped.areas()[2] == 0


@given(one=st.lists(MASKS, min_size=1, max_size=4), other=st.lists(MASKS, min_size=1, max_size=4))
def test_intersections_without_pixels(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    pairs = list(zip(one, other, strict=False))
    a, b = (parse_masks([encode_mask(masks[side]) for masks in pairs], "mask") for side in (0, 1))
    wanted = []
    for x, y in pairs:
        flat_x, flat_y = (set(np.flatnonzero(mask.ravel(order="F")).tolist()) for mask in (x, y))
        wanted.append(len(flat_x & flat_y))
    assert intersection_areas(a, b).tolist() == wanted
    assert intersection_areas(b, a).tolist() == wanted
    assert a.areas().tolist() == [int(x.sum()) for x, _ in pairs]


@given(mask=MASKS, size=st.integers(0, 150))
def test_clipping_cuts_pixels_past_the_end(mask: np.ndarray, size: int) -> None:
    flat = mask.ravel(order="F")
    runs = parse_masks([encode_mask(mask), "1 200"], "mask").clipped([size, size])
    assert runs.areas().tolist() == [int(flat[:size].sum()), min(size, 200)]


def test_a_gigapixel_mask_stays_a_list() -> None:
    a = parse_masks(["1 1000000000 2000000001 1000000000"], "mask")
    b = parse_masks(["999999001 1000 2999999001 5000"], "mask")
    assert intersection_areas(a, b).tolist() == [2000]
    assert a.clipped(2_500_000_000).areas().tolist() == [1_500_000_000]


def test_numbers_are_what_int_reads() -> None:
    runs = parse_masks(["+1 1_0", "٣\u00a01", " \t1  2\n", float("nan"), "-"], "mask", empty="-")
    assert runs.starts.tolist() == [0, 2, 0] and runs.areas().tolist() == [10, 1, 2, 0, 0]


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("salt", "'salt' is no whole number"),
        ("1.0 2", "'1.0' is no whole number"),
        ("-1 2", "but -1 occurs"),
        ("0 2", "but 0 occurs"),
        ("0", "but 0 occurs"),
        ("3 1 1 1", "'1 1' follows '3 1'"),
        ("1 3 3 1", "'3 1' follows '1 3'"),
        ("1 1 3 1 5", "5 numbers"),
        ("99999999999999999999 1", "but 99999999999999999999 occurs"),
    ],
)
def test_the_fault_is_named(cell: str, fault: str) -> None:
    with pytest.raises(InvalidSubmissionError) as caught:
        parse_masks(["", "1 1 4 1", cell], "rle")
    assert str(caught.value).startswith("Column rle, row 3: ") and fault in str(caught.value)


def test_a_column_of_single_numbers_is_refused() -> None:
    check_masks(["5", "1 1"], "mask")
    check_masks(["-", "-"], "mask", empty="-")
    check_masks(["", float("nan")], "mask")
    with pytest.raises(InvalidSubmissionError, match="only single numbers"):
        check_masks(["5", " 7", float("nan")], "mask")


@given(mask=MASKS)
def test_runs_are_maximal(mask: np.ndarray) -> None:
    assume(mask.any())
    starts, ends = mask_runs(mask)
    assert (starts < ends).all() and (starts[1:] > ends[:-1]).all()
