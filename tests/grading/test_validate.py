"""Reading hostile and sloppy CSVs: what is fine scores the same, what is not is refused with a reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = "id,y\n1,0.9\n2,0.1\n3,0.8\n4,0.3\n"
TEXT_IDS = {
    "sample": "id,y\na,0.5\nb,0.5\nc,0.5\nd,0.5\n",
    "answers": "id,y\na,1\nb,0\nc,1\nd,0\n",
}


def texts(*, missing: str = "invalid", labels: str = "[]") -> dict[str, str]:
    """A contest whose predictions are texts."""
    return {
        "columns": f'{{ names = ["y"], type = "text", missing = "{missing}", labels = {labels} }}',
        "metric": "exact_match",
        "sample": "id,y\n1,a\n2,a\n3,a\n4,a\n",
        "answers": 'id,y\n1,NA\n2,"a, b"\n3,null\n4,c\n',
    }


pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


# Dialects that are fine.


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.rstrip("\n"),
        GOOD + "\n\n\r\n",
        GOOD.replace("\n", "\n\n"),
        GOOD.replace("id,y", '"id","y"'),
        "id,y\n" + '"1","0.9"\n"2","0.1"\n"3","0.8"\n"4","0.3"\n',
        "y,id\n0.9,1\n0.1,2\n0.8,3\n0.3,4\n",
        "id,y\n4,0.3\n3,0.8\n2,0.1\n1,0.9\n",
        'id,note,y\n1,hello,0.9\n2,,0.1\n3,é,0.8\n4,"a\nb",0.3\n',
        GOOD.replace("\n", ",\n"),
        "id,y,,\n1,0.9,,\n2,0.1,,\n3,0.8,,\n4,0.3,,\n",
        ",id,y\n0,1,0.9\n1,2,0.1\n2,3,0.8\n3,4,0.3\n",  # written with the frame's index
        "id,y\n1, 0.9\n2,0.1 \n3, 0.8 \n4,0.3\n",
        "id,y\n1,9e-1\n2,1E-1\n3,+.8\n4,000.3\n",
        "id,y\n1.0,0.9\n2.0,0.1\n3.0,0.8\n4.0,0.3\n",
        "id,y\n1,True\n2,False\n3,TRUE\n4,false\n",
        "id,y\n1,1\n2,0\n3,1\n4,0\n",
    ],
)
def test_dialects_that_score_alike(contest, content: str) -> None:
    assert contest().score(content) == 1.0


def test_leading_blank_lines(contest) -> None:
    own = contest()
    assert own.score("\n\r\n  \t\n" + GOOD) == 1.0
    assert own.score("\ufeff\n" + GOOD) == 1.0


def test_a_byte_order_mark_scores_alike_with_a_warning(contest) -> None:
    own = contest()
    for content in (GOOD, GOOD.replace("id,y", '"id","y"'), GOOD.replace("\n", "\r\n")):
        path = own.write(b"\xef\xbb\xbf" + content.encode())
        score, warnings, _ = own.grader.score(path)
        assert score == 1.0
        assert [w for w in warnings if "byte-order mark" in w]
        assert own.validate(path).warnings == warnings


# Headers.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GOOD.replace(",", ";"), "missing_columns"),
        (GOOD.replace(",", "\t"), "missing_columns"),
        (GOOD.replace(",", "|"), "missing_columns"),
        (GOOD.replace("id,y", "ID,Y"), "missing_columns"),
        (GOOD.replace("id,y", "id, y"), "missing_columns"),
        (GOOD.split("\n", 1)[1], "missing_columns"),
        ("id\n1\n2\n3\n4\n", "missing_columns"),
        ("id,y,y\n1,0,0\n2,0,0\n3,0,0\n4,0,0\n", "duplicate_columns"),
        ("id,id,y\n1,1,0\n2,2,0\n3,3,0\n4,4,0\n", "duplicate_columns"),
        ("id,y,x,x\n1,0,0,0\n", "duplicate_columns"),
        ('"id,y\n1,0.5\n', "unreadable"),
        ('"id"x,y\n1,0.5\n', "unreadable"),
        ("x" * 200_000 + "\n1\n", "unreadable"),
        ("\n \n", "unreadable"),
        (",,,\n1,2,3,4\n", "unreadable"),
    ],
)
def test_broken_headers(contest, content: str, reason: str) -> None:
    assert contest().refusal(content) == reason


def test_semicolons_are_named(contest) -> None:
    own = contest()
    assert "separated by something other than commas" in own.validate(own.write(GOOD.replace(",", ";"))).message


def test_a_hundred_thousand_columns_are_quick(contest) -> None:
    own = contest()
    names = ",".join(f"c{i}" for i in range(100_000))
    started = time.monotonic()
    assert own.refusal(f"{names}\n" + "0," * 99_999 + "0\n") == "missing_columns"
    assert own.refusal(f"id,y,{names},c5\n") == "duplicate_columns"
    assert own.refusal(f"id,y,{names}\n") == "extra_columns"
    assert own.refusal(f"id,y,{names},{names}") == "unreadable"  # no header is that long
    assert time.monotonic() - started < 5


# Rows.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id,y\n", "empty"),
        (GOOD + "5,0.5\n", "row_count"),
        (GOOD.rsplit("4", 1)[0], "row_count"),
        (GOOD.replace("4,", "5,"), "unknown_ids"),
        (GOOD.replace("4,", "3,"), "duplicate_ids"),
        (GOOD.replace("4,", ","), "unknown_ids"),
        (GOOD.replace("4,", "4.5,"), "unknown_ids"),
        (GOOD.replace("4,", "four,"), "unknown_ids"),
        (GOOD.replace("4,", "nan,"), "unknown_ids"),
        (GOOD.replace("4,", "inf,"), "unknown_ids"),
        (GOOD.replace("4,", "-4,"), "unknown_ids"),
        (GOOD.replace("4,", "1e400,"), "unknown_ids"),
        (GOOD.replace("4,", "9" * 400 + ","), "unknown_ids"),
        (GOOD.replace("4,", "18446744073709551620,"), "unknown_ids"),  # 2 ** 64 + 4
        (GOOD.replace("4,", "9223372036854775808,"), "unknown_ids"),
        (GOOD.replace("4,", "True,"), "unknown_ids"),
        (GOOD.replace("4,0.3", "4,0.3,7"), "unreadable"),
        (GOOD.replace("4,0.3", "4"), "missing_values"),
        ("id,y\n1,0.9,\n2,0.1,\n3,0.8,\n4,0.3,\n", "unreadable"),
        ("id,y\n1,0.9,7\n2,0.1\n3,0.8\n4,0.3\n", "unreadable"),
        (GOOD + '"5,0.5\n', "unreadable"),
        ("id,y\n1,0,9\n2,0,1\n3,0,8\n4,0,3\n", "unreadable"),
        ("[[1,0.5],[2,0.5]]", "missing_columns"),
        ("<html><body>Not found</body></html>\n" * 9, "missing_columns"),
    ],
)
def test_broken_rows(contest, content: str, reason: str) -> None:
    assert contest().refusal(content) == reason


def test_surplus_cells_are_never_taken_for_row_names(contest) -> None:
    """With ids from 0 the reader's row names would look like no names at all, and every column would shift."""
    own = contest(sample="id,y\n0,0.5\n1,0.5\n", answers="id,y\n0,0\n1,1\n")
    assert own.score("id,y\n0,0\n1,1\n") == 1.0
    for shifted in ("id,y\n0,0,0\n1,1,1\n", "id,y\n0,0,\n1,1,\n", "id,y\n0,1,0,0\n1,1,1,1\n"):
        assert own.refusal(shifted) == "unreadable"


def test_ids_that_are_texts_are_compared_to_the_letter(contest) -> None:
    own = contest(**TEXT_IDS)
    good = "id,y\nd,0.1\nc,0.9\nb,0.1\na,0.9\n"
    assert own.score(good) == 1.0
    for other in ("A", " a", "a ", '"a\u200b"', "а"):  # the last is Cyrillic
        assert own.refusal(good.replace("a,", f"{other},")) == "unknown_ids"


@pytest.mark.parametrize(
    "ids", [["NA", "null", "nan", "None"], ["007", "7", "07", "7.0"], ["1e5", "100000.0", "x", "inf"]]
)
def test_ids_keep_their_text(contest, ids: list[str]) -> None:
    """Words that a reader takes for missing, leading zeros, and what looks like a number."""
    sample = "id,y\n" + "".join(f"{one},0.5\n" for one in ids)
    answers = "id,y\n" + "".join(f"{one},{i % 2}\n" for i, one in enumerate(ids))
    own = contest(sample=sample, answers=answers)
    rows = [f"{one},{i % 2}\n" for i, one in enumerate(ids)]
    assert own.score("id,y\n" + "".join(rows)) == 1.0
    assert own.score("id,y\n" + "".join(reversed(rows))) == 1.0
    assert own.refusal("id,y\n" + "".join(rows[:3]) + "zzz,1\n") == "unknown_ids"


def test_long_numeric_ids_are_told_apart(contest) -> None:
    ids = [2**62 + i for i in range(4)]
    sample = "id,y\n" + "".join(f"{one},0.5\n" for one in ids)
    answers = "id,y\n" + "".join(f"{one},{i % 2}\n" for i, one in enumerate(ids))
    own = contest(sample=sample, answers=answers)
    rows = [f"{one},{i % 2}\n" for i, one in enumerate(ids)]
    assert own.score("id,y\n" + "".join(reversed(rows))) == 1.0
    assert own.refusal("id,y\n" + "".join(rows[:3]) + f"{2**62 + 9},1\n") == "unknown_ids"


def test_several_id_columns(contest) -> None:
    format = {
        "ids": '["a", "b"]',
        "sample": "a,b,y\nx,1,0.5\nx,2,0.5\ny,1,0.5\n",
        "answers": "b,a,y\n1,x,0\n2,x,1\n1,y,0\n",
    }
    own = contest(**format)
    assert own.score("y,b,a\n0.1,1,y\n0.9,2,x\n0.2,1,x\n") == 1.0
    assert own.refusal("a,b,y\nx,1,0.5\nx,1,0.5\ny,1,0.5\n") == "duplicate_ids"
    assert own.refusal("a,b,y\nx,1,0.5\nx,2,0.5\ny,2,0.5\n") == "unknown_ids"


# Cells.


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "missing_values"),
        ("nan", "missing_values"),
        ("NA", "missing_values"),
        ('""', "missing_values"),
        ("inf", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e999", "not_finite"),
        ("maybe", "not_a_number"),
        ("yes", "not_a_number"),
        ("0.5.1", "not_a_number"),
        ("0x1p-1", "not_a_number"),
        ("1_0", "not_a_number"),
        ("½", "not_a_number"),
        ("0.5%", "not_a_number"),
        ('"0,5"', "not_a_number"),
        ("(0.5)", "not_a_number"),
        ("[0.5]", "not_a_number"),
        ("0 5", "not_a_number"),
        (" ", "not_a_number"),
        ("9" * 5000, "not_finite"),
        ("x" * 5000, "not_a_number"),
        ("1.0000001", "out_of_range"),
        ("-1e-300", "out_of_range"),
    ],
)
def test_cells_that_are_no_number_in_range(contest, cell: str, reason: str) -> None:
    own = contest()
    assert own.refusal(GOOD.replace("4,0.3", f"4,{cell}")) == reason
    assert "row 4" in own.validate(own.home / "submission.csv").message


@pytest.mark.parametrize(
    ("type", "cell", "reason"),
    [
        ("integer", "1.5", "wrong_class"),
        ("integer", "1e400", "not_finite"),
        ("integer", "one", "not_a_number"),
        ("boolean", "0.5", "wrong_class"),
        ("boolean", "T", "not_a_number"),
        ("boolean", "tRUE", "not_a_number"),
        ("boolean", "", "missing_values"),
    ],
)
def test_whole_numbers_and_truth_values(contest, type: str, cell: str, reason: str) -> None:
    own = contest(
        columns=f'{{ names = ["y"], type = "{type}" }}',
        metric="accuracy",
        sample="id,y\n1,0\n2,0\n3,0\n4,0\n",
        answers="id,y\n1,1\n2,0\n3,1\n4,1\n",
    )
    assert own.score("id,y\n1,1\n2,0.0\n3,1.0\n4,0\n") == 0.75
    assert own.score("id,y\n1,True\n2,false\n3,TRUE\n4,False\n") == 0.75
    assert own.refusal("id,y\n1,1\n2,0\n3,True\n4,FALSE\n") == "not_a_number"
    assert own.score("id,y\n1,1\n2,-3\n3,99999999999\n4,1\n") == 0.5
    assert own.refusal(f"id,y\n1,1\n2,0\n3,1\n4,{cell}\n") == reason


def test_whole_numbers_beyond_what_an_integer_holds(contest) -> None:
    own = contest(
        columns='{ names = ["y"], type = "integer" }', metric="accuracy", sample="id,y\n1,0\n2,0\n", answers="id,y\n1,1\n2,0\n"
    )  # fmt: skip
    for cell in ("1e30", "-1e300", "9223372036854775808", "9" * 40):
        assert own.refusal(f"id,y\n1,{cell}\n2,0\n") == "out_of_range"


def test_texts_stay_as_they_are(contest) -> None:
    own = contest(**texts())
    assert own.score('id,y\n1,NA\n2,"a, b"\n3,null\n4,c\n') == 1.0
    assert own.score('id,y\n1,null\n2," a, b"\n3,nan\n4,C\n') == 0.0
    assert own.refusal('id,y\n1,NA\n2,"a, b"\n3,\n4,c\n') == "missing_values"


def test_words_for_missing_may_be_equal(contest) -> None:
    own = contest(**texts(missing="na-words"))
    assert own.score('id,y\n1,null\n2,"a, b"\n3,\n4,c\n') == 1.0


def test_only_declared_labels(contest) -> None:
    own = contest(**texts(labels='["NA", "a, b", "null", "c"]'))
    assert own.score('id,y\n1,c\n2,"a, b"\n3,NA\n4,c\n') == 0.5
    assert own.refusal('id,y\n1,c\n2,"a, b"\n3,NA\n4,d\n') == "wrong_class"


def test_a_score_that_does_not_exist(contest) -> None:
    own = contest(answers="id,y\n1,1\n2,1\n3,1\n4,1\n")
    path = own.write(GOOD)
    assert own.validate(path).valid
    report = own.grader.grade(path)
    assert (report.outcome.value, report.reason, report.score) == ("invalid", "undefined_score", None)


# Whatever comes.


@pytest.fixture(params=["numbers", "texts", "text ids"])
def any_contest(request: pytest.FixtureRequest, contest):
    return contest(**{"numbers": {}, "texts": texts(missing="na-words"), "text ids": TEXT_IDS}[request.param])


SPECIAL = ["", ",", "\n", "\r", '"', '""', "id", "y", "1", "4.0", "0.5", "nan", "inf", "-", "e", "9" * 30, "1e308", ";",
           "\t", " ", "\ufeff", "\u2028", "é", "𝄞", "NA", "True", "#", "\\", "\x1f", "\x0b", "\x85", "'"]  # fmt: skip
WITH_FIXTURE = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@WITH_FIXTURE
@given(edits=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6), st.sampled_from(SPECIAL)), max_size=4))
def test_mutated_csvs(any_contest, edits: list[tuple[int, int, str]]) -> None:
    content = any_contest.sample.read_text()
    for place, length, new in edits:
        content = content[:place] + new + content[place + length :]
    any_contest.agree(any_contest.write(content))


@WITH_FIXTURE
@given(cells=st.lists(st.lists(st.one_of(st.sampled_from(SPECIAL), st.text(max_size=5)), max_size=4), max_size=6))
def test_random_tables(any_contest, cells: list[list[str]]) -> None:
    header = any_contest.sample.read_text().split("\n", 1)[0]
    content = "\n".join([header, *(",".join(row) for row in cells)])
    any_contest.agree(any_contest.write(content.encode("utf-8", "surrogatepass")))


@WITH_FIXTURE
@given(cell=st.one_of(st.text(max_size=20), st.floats().map(repr), st.integers().map(str)))
def test_any_cell_in_the_right_place(any_contest, cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    rows = any_contest.sample.read_text().splitlines()
    first = rows[1].split(",")[0]
    content = "\n".join([rows[0], f"{first},{quoted}", *rows[2:]]) + "\n"
    any_contest.agree(any_contest.write(content.encode("utf-8", "surrogatepass")))


@WITH_FIXTURE
@given(content=st.text(max_size=80))
def test_random_text(any_contest, content: str) -> None:
    any_contest.agree(any_contest.write(content.encode("utf-8", "surrogatepass")))
