"""JSON lines against pandas and against the standard reader."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.errors import DataError
from mlebench.formats.json_lines import encode_members, parse_lines, read_members

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=3), TEXTS)
def test_written_as_pandas_writes_it(values, text) -> None:
    rows = [{"number": i, "inner": [value], "text": "x" + text, "url": "a/b"} for i, value in enumerate(values)]
    theirs = io.StringIO()
    pd.DataFrame(rows).to_json(theirs, orient="records", lines=True)
    assert b"".join(map(encode_members, rows)).decode() == theirs.getvalue()


def test_the_delete_character_and_its_escape_as_text() -> None:
    assert encode_members({"a": "\x7f \\u007f \\\x7f"}) == b'{"a":"\x7f \\\\u007f \\\\\x7f"}\n'


@given(st.lists(st.tuples(VALUES, TEXTS), min_size=1, max_size=5), st.booleans())
def test_members_are_those_of_the_standard_reader(tmp_path_factory, rows, compact: bool) -> None:
    path = tmp_path_factory.mktemp("members") / "lines.jsonl"
    objects = [{"text": text, "id": text, "wanted": value, "last": [{"id": text}]} for value, text in rows]
    lines = [json.dumps(one, separators=(",", ":") if compact else None) for one in objects]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert list(read_members(path, ["id", "wanted"])) == [[one["id"], one["wanted"]] for one in objects]


def test_keys_within_texts_are_no_members(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    objects = [{"text": '"id":7, "x"id":8', "id": 1}, {'a"id': 5, "id": 2}, {"id": 3, "in": {"id": 4}}]
    path.write_bytes(b"\n".join(map(encode_members, objects)))
    assert list(read_members(path, ["id"])) == [[1], [2], [3]]
    with pytest.raises(KeyError):
        list(read_members(path, ["absent"]))


def test_empty_file_has_no_members(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert list(read_members(tmp_path / "empty.jsonl", ["id"])) == []


def test_fractions_are_refused() -> None:
    assert list(parse_lines([b'{"a": 1}\n', b"\n"])) == [{"a": 1}]
    with pytest.raises(DataError, match=r"0\.5"):
        list(parse_lines([b'{"a": 0.5}']))
