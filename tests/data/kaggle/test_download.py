"""Downloads: whole and byte-identical whatever is cut, nothing fetched twice, nothing wrong taken for right."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kaggle_server import Contest, FakeKaggle, point_client_at

from mlebench.data.kaggle import check_rules
from mlebench.data.kaggle.client import Kaggle, Patience
from mlebench.data.kaggle.credentials import CredentialKind, Credentials
from mlebench.data.kaggle.download import BLOCK, State, download_zip
from mlebench.data.kaggle.errors import KaggleError, Problem
from mlebench.data.kaggle.watch import Stop, Watch
from mlebench.errors import DataError

CONTENT = random.Random(1).randbytes(3_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


def fetch(folder: Path, **options) -> bytes:
    state = download_zip("toy", folder, **options)
    content = (folder / "toy.zip").read_bytes()
    assert state.md5 == hashlib.md5(content).hexdigest() and state.total == len(content)
    return content


def test_a_download_is_whole_and_a_second_one_asks_nothing(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    assert fetch(tmp_path) == CONTENT
    calls = kaggle.calls.total()
    assert fetch(tmp_path) == CONTENT
    assert kaggle.calls.total() == calls
    assert kaggle.agents == {next(iter(kaggle.agents))} and next(iter(kaggle.agents)).startswith("mlebench/")


def test_cuts_are_resumed_and_no_byte_before_the_cut_comes_twice(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, cut_every=400_000)
    assert fetch(tmp_path) == CONTENT
    ranges = kaggle.wire["toy"].ranges
    assert len(ranges) == 8
    for (start, count), (following, _) in pairwise(ranges):
        assert start + count - BLOCK <= following <= start + count


def test_the_rest_of_a_part_is_asked_for_after_a_kill(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    fetch(tmp_path)
    half = 1_234_567
    (tmp_path / "toy.zip").rename(tmp_path / "toy.zip.part")
    with (tmp_path / "toy.zip.part").open("r+b") as file:
        file.truncate(half)
    change(tmp_path, md5=None)
    kaggle.wire.clear()
    assert fetch(tmp_path) == CONTENT
    assert kaggle.wire["toy"].ranges == [(half, len(CONTENT) - half)]


def test_after_a_reboot_only_what_was_flushed_counts(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    fetch(tmp_path)
    (tmp_path / "toy.zip").unlink()
    (tmp_path / "toy.zip.part").write_bytes(CONTENT[:1_000_000] + bytes(500_000))  # zeros: written, never flushed
    change(tmp_path, md5=None, flushed=1_000_000, boot="another")
    kaggle.wire.clear()
    assert fetch(tmp_path) == CONTENT
    assert kaggle.wire["toy"].ranges == [(1_000_000, 2_000_000)]


def test_killed_between_the_last_byte_and_its_name(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    fetch(tmp_path)
    change(tmp_path, md5=None)
    kaggle.wire.clear()
    assert fetch(tmp_path) == CONTENT
    assert not kaggle.wire


def test_another_file_on_the_server_is_fetched_from_its_start(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    fetch(tmp_path)
    (tmp_path / "toy.zip").rename(tmp_path / "toy.zip.part")
    with (tmp_path / "toy.zip.part").open("r+b") as file:
        file.truncate(2_000_000)
    change(tmp_path, md5=None)
    kaggle.contests["toy"] = Contest(CONTENT[::-1][:1_500_000], etag='"v2"')
    notes: list[str] = []
    assert fetch(tmp_path, watch=Watch(note=lambda _, text: notes.append(text))) == CONTENT[::-1][:1_500_000]
    assert any("starting over" in note for note in notes)


def test_a_server_without_ranges_still_ends_whole(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, ranges=False, cut_every=2_000_000, cuts=2)
    assert fetch(tmp_path) == CONTENT


@pytest.mark.parametrize(
    "fault",
    [
        {"ranges": False, "cut_every": 1_000_000},
        {"new_etags": True, "cut_every": 1_000_000},
        {"claimed_more": 10},
        {"chunked_until": 900_000},
        {"one_byte": True, "cut_every": 1_000_000},
        {"one_byte": True, "cut_every": 1_000},
    ],
    ids=lambda fault: "-".join(fault),
)
def test_a_download_that_gets_no_further_ends_with_a_sentence(kaggle: FakeKaggle, tmp_path: Path, fault) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, **fault)
    with pytest.raises(KaggleError) as told:
        fetch(tmp_path)
    assert told.value.problem is Problem.CUT
    if "one_byte" not in fault:
        assert "--source FILE.zip" in str(told.value)
    assert len(kaggle.wire["toy"].ranges) <= 12


def test_a_part_of_another_file_is_never_continued_even_if_the_storage_sends_it(
    kaggle: FakeKaggle, tmp_path: Path
) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, etag='"v2"', heed_if_range=False)
    (tmp_path / "toy.zip.part").write_bytes(CONTENT[::-1][:1_000_000])
    State(competition="toy", validator='"v1"', total=len(CONTENT), flushed=1_000_000).write(tmp_path)
    assert fetch(tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("fault", "words"),
    [({"kind": "text/html; charset=utf-8"}, "a web page"), ({"encoding": "gzip"}, "packed once more (gzip)")],
)
def test_what_is_no_zip_is_not_taken_for_one(kaggle: FakeKaggle, tmp_path: Path, fault, words: str) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, **fault)
    with pytest.raises(KaggleError) as told:
        fetch(tmp_path)
    assert told.value.problem is Problem.BAD_ANSWER and words in str(told.value) and "browser" in str(told.value)
    assert not (tmp_path / "toy.zip").exists()
    status = check_rules(["toy"])[0]
    assert not status.available and words in status.message


@pytest.mark.parametrize("status", [204, 302])
def test_an_answer_without_a_file_is_no_zip(kaggle: FakeKaggle, tmp_path: Path, status: int) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, empty_answer=status)
    assert not check_rules(["toy"])[0].available
    with pytest.raises(KaggleError, match=f"an answer {status}"):
        fetch(tmp_path)


def test_a_silent_server_is_asked_again(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, stall_at=1_000_001)
    assert fetch(tmp_path) == CONTENT
    assert [start for start, _ in sorted(kaggle.wire["toy"].ranges)][-1] == 1_000_001


def test_failures_that_pass_are_waited_for(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    kaggle.failures = [(503, {}), (429, {"Retry-After": "0"}), (500, {})]
    assert fetch(tmp_path) == CONTENT


def test_progress_adds_up_to_the_size(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, cut_every=700_000)
    gained: list[int] = []
    ends: list[bool] = []
    fetch(tmp_path, watch=Watch(advance=lambda _, n: gained.append(n), end=lambda _, whole: ends.append(whole)))
    assert sum(gained) == len(CONTENT) and ends == [True]


def test_another_md5_is_refused_before_a_byte_is_fetched(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, announce_md5=True)
    with pytest.raises(DataError, match="--accept-new-source"):
        fetch(tmp_path, expected_md5="0" * 32)
    assert not list(tmp_path.glob("*.part")) or not (tmp_path / "toy.zip.part").stat().st_size
    assert fetch(tmp_path, expected_md5="0" * 32, accept_new=True) == CONTENT
    assert State.read(tmp_path).md5 == MD5


@pytest.mark.parametrize(
    ("failure", "problem", "words"),
    [
        ((429, {"Retry-After": "5400"}), Problem.BUSY, "wait 90 minutes"),
        ((429, {}), Problem.BUSY, "wait some minutes"),
        ((502, {}), Problem.SERVER, "server fails (502)"),
        ((418, {}), Problem.BAD_ANSWER, "418"),
    ],
)
def test_failures_that_stay_are_told_in_a_sentence(kaggle: FakeKaggle, tmp_path: Path, failure, problem, words) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    kaggle.failures = [failure] * 10
    with pytest.raises(KaggleError) as told:
        fetch(tmp_path)
    assert told.value.problem is problem and words in str(told.value)


@pytest.mark.parametrize(
    ("fault", "problem"), [({"hang_up": True}, Problem.CUT), ({"silent_for": 3.0}, Problem.TIMEOUT)]
)
def test_cuts_and_silence_that_stay(kaggle: FakeKaggle, tmp_path: Path, fault, problem: Problem) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, **fault)
    patience = Patience(connect=1, read=0.2, tries=3, first_wait=0.01, longest_wait=0.05, pace=0)
    with pytest.raises(KaggleError) as told:
        fetch(tmp_path, connect=lambda **options: Kaggle(patience=patience, **options))
    assert told.value.problem is problem and "same command again" in str(told.value)


def test_a_server_that_is_gone_is_given_up(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.stop()
    with pytest.raises(KaggleError) as told:
        fetch(tmp_path)
    assert told.value.problem is Problem.UNREACHABLE


def test_stop_ends_a_download_that_waits_for_bytes(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT, stall_at=1_000_000)
    stop = Stop()
    threading.Timer(0.3, stop.set).start()
    patient = Patience(connect=5, read=30, pace=0)
    started = time.monotonic()
    with pytest.raises(KaggleError) as told:
        fetch(tmp_path, stop=stop, connect=lambda **options: Kaggle(patience=patient, **options))
    assert told.value.problem is Problem.STOPPED and time.monotonic() - started < 20
    assert fetch(tmp_path) == CONTENT
    assert kaggle.wire["toy"].ranges[-1][0] == 1_000_000


@pytest.mark.parametrize("name", ["", "toy.zip.part", "state.json.tmp"])
def test_what_is_in_the_way_is_named(kaggle: FakeKaggle, tmp_path: Path, name: str) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    folder = tmp_path / "download"
    if name:
        (folder / name).mkdir(parents=True)
    else:
        folder.write_text("x")
    with pytest.raises(DataError, match=f"{folder / name}.*remove what is in its way"):
        fetch(folder)


def test_a_state_that_cannot_be_sent_is_no_state(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests["toy"] = Contest(CONTENT)
    (tmp_path / "toy.zip.part").write_bytes(CONTENT[:1000])
    State(competition="toy", validator="a\nb", total=len(CONTENT), flushed=1000).write(tmp_path)
    assert fetch(tmp_path) == CONTENT


@settings(max_examples=20)
@given(
    cuts=st.lists(st.integers(1, 60_000), min_size=1, max_size=4),
    have=st.integers(0, 60_000),
    ranges=st.booleans(),
)
def test_any_sizes_and_cuts(cuts: list[int], have: int, ranges: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    # Hypothesis calls this many times, so the server is made here rather than by the fixture.
    content, folder = CONTENT[:60_000], tmp_path_factory.mktemp("download")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
        server = FakeKaggle().start()
        try:
            point_client_at(server.endpoint)
            server.contests["toy"] = Contest(content, cut_every=cuts[0], cuts=len(cuts), ranges=ranges)
            (folder / "toy.zip.part").write_bytes(content[:have])
            State(competition="toy", validator='"v1"', total=len(content), flushed=have).write(folder)
            patience = Patience(connect=2, read=2, tries=8, first_wait=0.0, longest_wait=0.0, pace=0)
            mine = Credentials(CredentialKind.TOKEN, "a test", secret=server.token)
            connect = lambda **options: Kaggle(mine, patience=patience, **options)  # noqa: E731
            assert fetch(folder, connect=connect) == content
        finally:
            server.stop()


def change(folder: Path, **values) -> None:
    path = folder / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
