"""`mlebench verify` of bundles and `mlebench runs bundle`, from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bundle_kit import FakeProcess
from running_kit import World, start_run
from typer.testing import CliRunner, Result

from mlebench.bundle.seal import seal
from mlebench.cli import verbs  # noqa: F401
from mlebench.cli.app import app
from mlebench.errors import BundleError, UsageError
from mlebench.running.store import load_run


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("MLEBENCH_DATA_DIR", str(world.root / "data"))
    monkeypatch.chdir(world.root)
    start_run(world, FakeProcess(), seeds=[0, 1])
    return world


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)


def test_packed_and_verified(run: World) -> None:
    packed = json.loads(call("runs", "bundle", "run", "-o", "out", "--json").stdout)
    assert [one["attempt"] for one in packed] == ["toy-s0", "toy-s1"]
    first = packed[0]
    shown = call("verify", first["file"], "--expect-digest", first["digest"])
    assert shown.exit_code == 1  # the sandbox does not isolate, and that is a claim that fails
    assert "✔ It is the bundle that the runner sealed." in shown.output and "✘" in shown.output
    assert "Whoever controls the machine" in shown.output.replace("\n", " ")
    told = json.loads(call("verify", first["file"], "--json", "--expect-digest", "0" * 64).stdout)
    assert {one["key"] for one in told["claims"] if one["verdict"] == "fails"} == {"origin", "isolation", "network"}


def test_a_run_an_attempt_and_a_folder_are_found(run: World) -> None:
    assert [one["attempt"] for one in json.loads(call("verify", "run", "--json").stdout)] == ["toy-s0", "toy-s1"]
    for target in ("run/toy-s1", "runs/run/toy-s1", run.runs / "run" / "toy-s1"):
        assert json.loads(call("verify", target, "--json").stdout)["attempt"] == "toy-s1"


def test_the_run_store_knows_the_digest(run: World) -> None:
    def origin() -> dict[str, str]:
        told = json.loads(call("verify", "run/toy-s0", "--json").stdout)
        return next(one for one in told["claims"] if one["key"] == "origin")

    assert origin()["verdict"] == "cannot be shown" and "The run store has the same" in origin()["why"]
    folder = run.runs / "run" / "toy-s0"
    record = load_run("run", run.runs)
    (folder / "agent.log").write_text("other")
    seal(folder, record.attempts[0], record.config)
    assert origin()["verdict"] == "fails"


def test_with_competitions_of_ones_own_it_is_graded_again(run: World) -> None:
    where = ("--competitions-dir", run.root / "competitions")
    told = json.loads(call("verify", "run/toy-s0", *where, "--json").stdout)
    assert {one["key"]: one["verdict"] for one in told["claims"]}["regrade"] == "holds"


def test_a_changed_file_is_named(run: World) -> None:
    (run.runs / "run" / "toy-s0" / "agent.log").write_text("other")
    shown = call("verify", "run/toy-s0")
    assert shown.exit_code == 1 and "agent.log has 5 bytes instead of" in shown.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "run/nothing"), "no bundle at run/nothing"),
        (("verify", "none.tar.gz"), "no bundle at none.tar.gz"),
        (("verify", "README.zip"), "not a bundle"),
        (("verify", "run/toy-s0", "toy"), "separate calls"),
        (("verify", "run", "--expect-digest", "x"), "for one bundle"),
        (("runs", "bundle", "run", "toy-s9"), "no attempt 'toy-s9'"),
        (("runs", "bundle", "run", "-o", "one.zip"), "there are 2 attempts"),
        (("runs", "bundle", "other"), "no run 'other'"),
    ],
)
def test_bad_input_is_told_in_a_sentence(run: World, arguments: tuple[str, ...], sentence: str) -> None:
    Path("README.zip").write_text("hello")
    with pytest.raises(UsageError, match=sentence):
        call(*arguments)


def test_a_key_of_this_environment_is_not_given_away(run: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "printed by the agent")
    log = (run.runs / "run" / "toy-s0" / "agent.log").read_text()
    monkeypatch.setenv("SOME_API_KEY", log.strip())
    with pytest.raises(BundleError, match="SOME_API_KEY"):
        call("runs", "bundle", "run", "toy-s0")
    assert not list(run.root.glob("*.tar.gz"))
