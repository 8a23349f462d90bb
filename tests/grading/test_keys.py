"""Ids compared as bytes: whatever the quick reader accepts, the general one reads and matches alike."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.grading import keys
from mlebench.grading.ids import match_ids
from mlebench.grading.keys import MAX_WIDTH, match_keys, read_keys

cells = st.text(alphabet="ab01 ._-é\"',\n\r", max_size=6)
tables = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8)


def read(content: str | bytes, ids: list[str]) -> np.ndarray | None:
    data = content.encode() if isinstance(content, str) else content
    return read_keys(lambda: io.BytesIO(data), ids)


def texts(found: np.ndarray | None) -> list[str] | None:
    return None if found is None else [key.decode() for key in found.tolist()]


@pytest.mark.parametrize(
    ("content", "ids", "wanted"),
    [
        ("id,y\n1,0.5\n20,0.25\n", ["id"], ["1", "20"]),
        ("id,y\n1,0.5\n20,", ["id"], ["1", "20"]),  # no line end at the end
        ("y,id\n0.5,a é\n0.25,b\n", ["id"], ["a é", "b"]),
        ("n,a,b,y\n0,x,1,2\n1,yy,22,2\n", ["a", "b"], ["x,1", "yy,22"]),
    ],
)
def test_plain_files(content: str, ids: list[str], wanted: list[str]) -> None:
    assert texts(read(content, ids)) == wanted


@pytest.mark.parametrize(
    "content",
    [
        'id,y\n"1",0.5\n',
        "id,y\r\n1,0.5\r\n",
        "id,y\n1,0.5,3\n",
        "id,y\n1\n",
        "id,y\n1,0.5\n\n2,0.5\n",
        "id,y\n1,2,3,4\n\n",  # as many commas and lines as two rows have, in the wrong places
        "id,y\n1,2,3\n4\n",
        "\nid,y\n1,0.5\n",
        "\ufeffid,y\n1,0.5\n",
        "id,y\n,0.5\n",
        "id,y\n" + "x" * (MAX_WIDTH + 1) + ",0.5\n",
        "id,y\n",
        "id,y",
        "",
        "key,y\n1,0.5\n",
        "id\n1\n",
    ],
)
def test_what_is_left_to_the_general_reader(content: str) -> None:
    assert read(content, ["id"]) is None


def test_id_columns_apart_or_in_another_order_are_left_to_the_general_reader() -> None:
    assert read("a,y,b\n1,2,3\n", ["a", "b"]) is None
    assert read("b,a,y\n1,2,3\n", ["a", "b"]) is None


@given(tables)
def test_agrees_with_the_csv_reader(rows: list[tuple[str, str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["x", "id", "y"])
    content = frame.to_csv(index=False)
    found = texts(read(content, ["id"]))
    general = pd.read_csv(io.StringIO(content, newline=""), dtype=str, keep_default_na=False)
    assert found is None or found == general["id"].tolist()


@pytest.mark.parametrize("block", [5, 7, 16, 64])
def test_blocks_may_end_anywhere(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    rows = [f"{n**5},{n}" for n in range(50)]
    content = "id,y\n" + "\n".join(rows)
    monkeypatch.setattr(keys, "_BLOCK", block)
    assert texts(read(content, ["id"])) == [row.split(",")[0] for row in rows]


ids = st.lists(st.text(alphabet="abc0123é", min_size=1, max_size=20), min_size=1, max_size=30, unique=True)


@given(ids, st.randoms(use_true_random=False))
def test_shuffled_keys_are_matched_as_texts_are(names: list[str], random) -> None:
    given_names = random.sample(names, len(names))
    width = max(len(name.encode()) for name in names)
    given_keys, wanted = (np.array([n.encode() for n in some], dtype=f"S{width}") for some in (given_names, names))
    positions = match_keys(given_keys, wanted)
    frames = [pd.DataFrame({"id": pd.Series(some, dtype=str)}) for some in (given_names, names)]
    assert positions is not None
    assert positions.tolist() == match_ids(*frames, one_per_id=True, unique=True).tolist()


def test_keys_that_differ_or_repeat_are_left_to_the_texts() -> None:
    wanted = np.array([b"a", b"b", b"c"])
    assert match_keys(np.array([b"a", b"b"]), wanted) is None
    assert match_keys(np.array([b"a", b"b", b"d"]), wanted) is None
    assert match_keys(np.array([b"a", b"b", b"cc"]), wanted) is None
    assert match_keys(np.array([b"b", b"b", b"a"]), np.array([b"b", b"a", b"b"])) is None


def test_equal_codes_alone_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_hashed", lambda found: np.arange(len(found), dtype=np.uint64))
    assert match_keys(np.array([b"a", b"c"]), np.array([b"a", b"b"])) is None
