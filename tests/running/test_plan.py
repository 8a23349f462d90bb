from __future__ import annotations

import shutil

import pytest
from running_kit import FakeSandbox, World

from mlebench.errors import AgentError, NotPreparedError, SandboxError, UsageError
from mlebench.running.plan import agent_reference, check_name, default_name, open_plan


def test_attempts_are_competitions_times_seeds_seed_by_seed(world: World) -> None:
    plan = open_plan(world.config(seeds=[0, 1, 2], concurrency=2), FakeSandbox())
    assert [one.id for one in plan.attempts] == ["toy-s0", "toy-s1", "toy-s2"]
    assert plan.longest_seconds == 2 * 61


def test_everything_missing_is_named_at_once(world: World) -> None:
    for name in ("other", "third"):
        shutil.copytree(world.toy.competition.folder, world.root / "competitions" / name)
        toml = world.root / "competitions" / name / "competition.toml"
        toml.write_text(toml.read_text().replace('id = "toy"', f'id = "{name}"', 1))
    with pytest.raises(NotPreparedError, match=r"2 of 3 .*mlebench prepare other third"):
        open_plan(world.config(competitions=["toy", "other", "third"]), FakeSandbox())


def test_data_without_a_description_is_not_for_agents(world: World) -> None:
    (world.toy.public / "description.md").unlink()
    with pytest.raises(NotPreparedError, match="not prepared for agents"):
        open_plan(world.config(), FakeSandbox())


def test_agents_that_cannot_run_so_are_refused(world: World) -> None:
    toml = world.agent / "agent.toml"
    plain = toml.read_text()
    toml.write_text(plain + "network = true\n")
    with pytest.raises(UsageError, match="--network"):
        open_plan(world.config(), FakeSandbox())
    open_plan(world.config(network="full"), FakeSandbox())
    toml.write_text(plain + "process = false\n")
    sandbox = FakeSandbox()
    sandbox.name = "process"
    with pytest.raises(UsageError, match="--sandbox docker"):
        open_plan(world.config(), sandbox)
    with pytest.raises(AgentError, match="no agent 'nobody'"):
        open_plan(world.config(agent="nobody"), FakeSandbox())


def test_a_sandbox_that_does_not_work_is_found_before_the_start(world: World) -> None:
    sandbox = FakeSandbox()

    def broken(image: str | None = None, *more: object) -> None:
        raise SandboxError(f"There is no image {image}.")

    sandbox.check = broken  # type: ignore[method-assign]
    with pytest.raises(SandboxError, match="no image special"):
        open_plan(world.config(image="special"), sandbox)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "x" * 101])
def test_names_that_are_no_folder_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


def test_default_names_and_references(world: World) -> None:
    agent = open_plan(world.config(), FakeSandbox()).agent
    assert check_name(default_name(agent)).endswith("_myagent")
    assert agent_reference(agent) == str(world.agent)
    builtin = open_plan(world.config(agent="dummy"), FakeSandbox()).agent
    assert agent_reference(builtin) == "dummy"
