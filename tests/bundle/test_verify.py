"""Verifying: a whole bundle holds, and whatever is done to it shows, resealed or not."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bundle_kit import HOST, WEAK, FakeProcess, Made, failing, make_bundle, verdicts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_kit import World, start_run

from mlebench.bundle.index import NotABundleError, digest_of, read_index
from mlebench.gateway.api import Usage
from mlebench.running.files import write_json
from mlebench.running.records import End


@pytest.fixture
def made(world: World) -> Made:
    return make_bundle(world)


def test_a_whole_bundle_holds(made: Made) -> None:
    result = made.verify(expected=made.digest)
    assert not result.failed and not result.problems
    unknown = {key for key, verdict in verdicts(result).items() if verdict != "holds"}
    assert unknown == {"data", "regrade"}  # toys have no published checksums; no answers here
    assert result.score == 1.0 and result.medal == "gold" and result.agent == "myagent"


def test_with_the_answers_it_is_graded_again(made: Made) -> None:
    result = made.verify(answers=True, expected=made.digest)
    assert not result.failed
    assert verdicts(result)["regrade"] == verdicts(result)["regrade_snapshots"] == "holds"


def test_a_real_run_of_the_process_sandbox_is_told_honestly(world: World) -> None:
    (attempt,) = start_run(world, FakeProcess())
    made = Made(world, world.runs / "run" / attempt.id, world.config(), attempt)
    result = made.verify(answers=True, expected=attempt.bundle)
    assert failing(result) == {"isolation", "network"}
    assert verdicts(result)["answers"] == "cannot be shown"
    assert verdicts(result)["regrade"] == "holds"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_is_found(made: Made, data: st.DataObject) -> None:
    files = sorted(path for path in made.folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    changed = bytearray(before)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(changed)
    try:
        if path.name == "bundle.json" and _same_json(before, bytes(changed)):
            return  # a space that became a tab, say
        _assert_found(made)
    finally:
        path.write_bytes(before)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_added_lost_renamed_or_swapped_file_is_found(made: Made, data: st.DataObject) -> None:
    copy = made.world.root / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(made.folder, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.name != "bundle.json")
    one, other = data.draw(st.lists(st.sampled_from(files), min_size=2, max_size=2, unique=True))
    match data.draw(st.sampled_from(["add", "lose", "rename", "swap", "empty", "link"])):
        case "add":
            (one.parent / "added").write_text("")
        case "lose":
            one.unlink()
        case "rename":
            one.rename(one.with_name("renamed"))
        case "swap":
            first, second = one.read_bytes(), other.read_bytes()
            one.write_bytes(second)
            other.write_bytes(first)
            if first == second:
                return
        case "empty":
            one.write_bytes(b"")
        case "link":
            one.unlink()
            one.symlink_to(other)
    result = made.verify(path=copy, expected=made.digest)
    assert "files" in failing(result) and result.problems


LOGS = ["events.jsonl", "usage.jsonl", "egress.jsonl"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_line_taken_from_a_log_is_found_though_it_was_sealed_again(made: Made, data: st.DataObject) -> None:
    path = made.folder / data.draw(st.sampled_from(LOGS))
    before, digest = path.read_bytes(), made.digest
    lines = before.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["drop", "double", "swap"]))
    if how == "drop":
        lines = lines[:place] + lines[place + 1 :]
    elif how == "double":
        lines.insert(place, lines[place])
    else:
        lines[place - 1], lines[place] = lines[place], lines[place - 1]
    path.write_bytes(b"".join(lines))
    try:
        made.seal()
        found = failing(made.verify())
        assert found & {"chains", "records", "usage"}
        assert "origin" in failing(made.verify(expected=digest))
    finally:
        path.write_bytes(before)
        made.seal()


def test_a_lowered_count_of_validations_is_found(made: Made) -> None:
    made.change(validations=1)
    made.seal()
    assert failing(made.verify()) == {"validations"}
    lines = (made.folder / "validations.jsonl").read_text().splitlines(keepends=True)
    (made.folder / "validations.jsonl").write_text(lines[0])
    made.seal()
    assert failing(made.verify()) == {"validations"}  # the event log still has both


def test_another_submission_is_found(made: Made) -> None:
    (made.folder / "submission" / "submission.csv").write_text(WEAK)
    made.seal()
    assert failing(made.verify()) == {"submission"}
    (made.folder / "submission" / "submission.csv").unlink()
    made.seal()
    assert failing(made.verify()) == {"submission"}


def test_a_better_score_shows_with_the_answers_only(made: Made) -> None:
    (made.folder / "submission" / "submission.csv").write_text(WEAK)
    import hashlib

    sealed = hashlib.sha256(WEAK.encode()).hexdigest()
    assert made.attempt.grade is not None
    grade = made.attempt.grade.model_copy(update={"submission_sha256": sealed})
    made.change(submission_sha256=sealed, grade=grade)
    made.events[made.place("sealed")][1]["submission_sha256"] = sealed
    made.log()
    write_json(made.folder / "grade.json", grade.to_json())
    made.seal()
    assert failing(made.verify()) == set()  # this is what the trust in the runner is about
    assert failing(made.verify(answers=True)) == {"regrade"}


def test_a_swapped_snapshot_is_found(made: Made) -> None:
    (made.folder / "snapshots" / "1.csv.gz").write_bytes((made.folder / "snapshots" / "2.csv.gz").read_bytes())
    made.seal()
    assert failing(made.verify()) == {"snapshot_files"}


def test_a_snapshot_that_blows_up_is_no_matter(made: Made) -> None:
    (made.folder / "snapshots" / "1.csv.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    made.seal()
    assert failing(made.verify()) == {"snapshot_files"}


def _reorder(made: Made) -> None:
    made.events.insert(made.place("ended"), made.events.pop(made.place("graded")))  # graded before the end


def _again_after_grade(made: Made) -> None:
    made.events += made.events


def _given_up_silently(made: Made) -> None:
    made.events = made.events[: made.place("snapshot")] + made.events


def _interrupted(made: Made) -> None:
    made.events = [*made.events[: made.place("snapshot")], ("requeued", {"why": "interrupted"}), *made.events]


def _moved_deadline(made: Made) -> None:
    assert made.attempt.deadline_at is not None
    made.change(deadline_at=made.attempt.deadline_at + timedelta(hours=1))


def _overrun(made: Made) -> None:
    made.events[made.place("ended")][1]["end"] = "out_of_time"
    made.events.insert(made.place("ended"), ("overrun", {"seconds": 3600.0}))
    made.change(end=End.OUT_OF_TIME)


def _late_snapshot(made: Made) -> None:
    made.events.insert(made.place("collected"), made.events.pop(made.place("snapshot")))


def _sealed_twice(made: Made) -> None:
    made.events.insert(made.place("sealed"), ("sealed", {"submission_sha256": "4" * 64}))


def _unknown_snapshot(made: Made) -> None:
    del made.events[made.place("snapshot")]


def _regraded(made: Made) -> None:
    made.events += made.events[-2:]


def _other_score(made: Made) -> None:
    made.events[made.place("graded")][1]["score"] = 0.5


def _other_snapshot_score(made: Made) -> None:
    made.events[made.place("snapshots_graded")][1]["grades"][0]["score"] = 0.9


def _other_end(made: Made) -> None:
    made.change(end=End.OUT_OF_BUDGET)


def _other_environment(made: Made) -> None:
    path = made.folder / "environment.json"
    path.write_text(path.read_text().replace("runc", "runq"))


def _other_totals(made: Made) -> None:
    made.events[made.place("usage")][1]["calls"] = 1


def _other_network(made: Made) -> None:
    made.events[0][1]["network"] = "full"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_reorder, {"order"}),
        (_again_after_grade, {"one_chance"}),
        (_given_up_silently, {"one_chance"}),
        (_interrupted, set()),
        (_moved_deadline, {"deadline"}),
        (_overrun, {"deadline"}),
        (_late_snapshot, {"snapshots"}),
        (_sealed_twice, {"order"}),
        (_unknown_snapshot, {"snapshots"}),
        (_regraded, set()),
        (_other_network, {"plan"}),
        (_other_score, {"records"}),
        (_other_snapshot_score, {"records"}),
        (_other_end, {"records"}),
        (_other_environment, {"records"}),
        (_other_totals, {"usage"}),
    ],
)
def test_a_log_that_makes_no_sense_is_found(made: Made, change: Callable[[Made], None], found: set[str]) -> None:
    change(made)
    made.log()
    made.seal()
    assert failing(made.verify()) == found


def _usage(**changes: object) -> Callable[[Made], None]:
    def change(made: Made) -> None:
        assert isinstance(made.attempt.usage, Usage)
        made.change(usage=made.attempt.usage.model_copy(update=changes))

    return change


def _config(**changes: object) -> Callable[[Made], None]:
    def change(made: Made) -> None:
        made.config = made.config.model_copy(update=changes)

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_usage(tokens_in=599), {"usage"}),
        (_usage(usd=0.001), {"usage"}),
        (_usage(calls=2), {"usage"}),
        (_usage(models={"openai/other": 3}), {"models", "usage"}),
        (_config(budget_usd=0.005), {"budgets", "plan"}),
        (_config(network="full"), {"network", "plan"}),
        (_config(network="none"), {"network", "plan"}),
        (_config(network="allow=other.test"), {"network", "plan"}),
        (_config(time_limit_seconds=30.0), {"deadline", "plan"}),
        (_config(seeds=[1]), {"plan"}),
        (_config(gpus_per_attempt=2), {"machine"}),
        (_config(sandbox="process"), {"isolation", "network", "plan"}),
    ],
)
def test_records_that_contradict_each_other_are_found(
    made: Made, change: Callable[[Made], None], found: set[str]
) -> None:
    change(made)
    made.seal()
    assert failing(made.verify()) == found


def test_what_cannot_be_shown_is_said(world: World) -> None:
    made = make_bundle(world, attempts_per_gpu=2)
    assert verdicts(made.verify())["machine"] == "cannot be shown"
    made.change(share=None)
    (made.folder / "environment.json").unlink()
    (made.folder / "egress.jsonl").unlink()
    made.seal()
    result = verdicts(made.verify())
    assert [result[key] for key in ("machine", "sources", "network", "origin")] == ["cannot be shown"] * 4


def test_the_network_that_was_reached_is_named(made: Made) -> None:
    claim = next(claim for claim in made.verify().claims if claim.key == "network")
    assert f"{HOST}:443 (1×)" in claim.why and "refused 1 time" in claim.why


@pytest.mark.parametrize(
    ("host", "address", "port", "fine"),
    [
        (HOST, "93.184.215.14", 443, True),
        (HOST, "93.184.215.14", 22, False),
        (f"sub.{HOST}", "93.184.215.14", 443, False),
        ("other.test", "93.184.215.14", 443, False),
        (HOST, "169.254.169.254", 80, False),
        (HOST, "10.0.0.1", 443, False),
        (HOST, "nonsense", 443, False),
    ],
)
def test_what_was_reached_is_compared_with_what_was_allowed(
    made: Made, host: str, address: str, port: int, fine: bool
) -> None:
    made.reach(host, address, port)
    made.events[made.place("egress")][1]["head"] = made.egress_head
    made.log()
    made.seal()
    assert failing(made.verify()) == (set() if fine else {"network"})


def test_the_answers_in_a_bundle_are_found(made: Made) -> None:
    from mlebench.data.manifest import Manifest, hash_files

    prepared = made.world.root / "data" / "toy" / "prepared"
    Manifest(competition="toy", edition="v1", source="folder", files=hash_files(prepared)).write(
        prepared / "manifest.json"
    )
    assert verdicts(made.verify(answers=True))["no_answers"] == "holds"
    (made.folder / "code" / "notes.txt").write_bytes((prepared / "private" / "test.csv").read_bytes())
    made.seal()
    assert failing(made.verify(answers=True)) == {"no_answers"}


def test_the_data_it_ran_on_is_compared(made: Made) -> None:
    from mlebench.data.manifest import Manifest, hash_files

    prepared = made.world.root / "data" / "toy" / "prepared"
    assert verdicts(made.verify(answers=True))["same_data"] == "cannot be shown"
    for source in ("kaggle", "folder"):  # where it came from, and when, is no part of it
        manifest = Manifest(competition="toy", edition="v1", source=source, files=hash_files(prepared))
        manifest.write(prepared / "manifest.json")
        environment = json.loads((made.folder / "environment.json").read_text())
        environment["data"]["content_sha256"] = manifest.content_sha256
        write_json(made.folder / "environment.json", environment)
        made.seal()
        assert verdicts(made.verify(answers=True))["same_data"] == "holds"
    manifest.model_copy(update={"files": {}}).write(prepared / "manifest.json")
    assert verdicts(made.verify(answers=True))["same_data"] == "cannot be shown"


def test_sources_are_those_of_the_environment(made: Made) -> None:
    made.change(image_id="sha256:" + "9" * 64)
    made.seal()
    assert failing(made.verify()) == {"records"}


@pytest.mark.parametrize("content", [b"\xff\n", b"[]\n", b"[" * 90_000 + b"\n", b"{}\n", b'{"seq": 0}\n'])
def test_a_log_of_rubbish_is_found_and_breaks_nothing(made: Made, content: bytes) -> None:
    for name in (*LOGS, "validations.jsonl", "environment.json", "grade.json"):
        (made.folder / name).write_bytes(content)
    made.seal()
    result = made.verify(answers=True)
    assert {"chains", "records"} <= failing(result)


_ODD = st.sampled_from(
    [None, -1, 0, 1e308, 10**30, "", "x", "\x1b[2J", "2026-01-01T00:00:00", [], {}, [[]], {"a": 1}, True, "../../x"]
)


def _leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from _leaves(value, (*path, key))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_records_that_no_runner_writes_never_break_verifying(made: Made, data: st.DataObject) -> None:
    path = made.folder / "bundle.json"
    before = path.read_bytes()
    document = json.loads(before)
    for place in data.draw(st.lists(st.sampled_from(list(_leaves(document))), min_size=1, max_size=3, unique=True)):
        inner = document
        try:
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = deepcopy(data.draw(_ODD))
        except (KeyError, IndexError, TypeError):
            continue  # an outer place was replaced already
    document["digest"] = digest_of(document)
    path.write_text(json.dumps(document))
    try:
        result = made.verify()
    except NotABundleError:
        return
    finally:
        path.write_bytes(before)
    assert result.claims


def test_an_unsealed_attempt_is_no_bundle(made: Made, tmp_path: Path) -> None:
    (made.folder / "bundle.json").unlink()
    with pytest.raises(NotABundleError, match="not been sealed"):
        made.verify()
    with pytest.raises(NotABundleError, match="no bundle"):
        made.verify(path=tmp_path / "none")


def _same_json(before: bytes, after: bytes) -> bool:
    try:
        return json.loads(before) == json.loads(after)
    except ValueError:
        return False


def _assert_found(made: Made) -> None:
    try:
        result = made.verify(expected=made.digest)
    except NotABundleError:
        return
    assert failing(result)
    assert read_index(made.folder) is not None
