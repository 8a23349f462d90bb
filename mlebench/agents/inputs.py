"""Inputs: parts of earlier attempts that an agent is given, as its agent.toml declares them.

    [inputs.code]        the agent finds it as $INPUT_CODE, read-only
    option = "from"      the agent's option that says of which run or attempt: RUN or RUN/ATTEMPT
    path = "code"        what of the attempt's folder: code, logs or submission, or something below

A run remembers the option with the run's absolute folder, so that a resumed run finds the same.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from mlebench.agents.agent import Agent
from mlebench.errors import SandboxError, UsageError
from mlebench.filenames import STORE_FILE

FOLDER = "inputs"
"""Below the control folder."""
MOST_BYTES = 2 * 1000**3


def resolve_inputs(agent: Agent, options: Mapping[str, str], runs_dir: Path) -> dict[str, str]:
    """The agent's options with every run named by its absolute folder; UsageError where an input is not chosen."""
    resolved = dict(options)
    for name, one in agent.facts.inputs.items():
        chosen = options.get(one.option, agent.facts.options[one.option].default)
        if not chosen:
            raise UsageError(
                f"The agent {agent.name} needs the {name} of an earlier attempt: `--option {one.option}=RUN[/ATTEMPT]`."
            )
        resolved[one.option] = str(_find(chosen, runs_dir))
    return resolved


def check_inputs(agent: Agent, options: Mapping[str, str], attempts: Iterable[tuple[str, int]]) -> None:
    """Raise UsageError where an earlier attempt is missing, or did not leave what is asked for.

    `attempts`: competition and seed of each attempt that is to be given something.
    """
    for competition, seed in attempts:
        for name in agent.facts.inputs:
            input_path(agent, name, options, competition, seed)


def shown_options(agent: Agent, options: Mapping[str, str]) -> dict[str, str]:
    """Every option as the agent is told it: with its default, and without the host's folders."""
    folders = {one.option for one in agent.facts.inputs.values()}
    values = {name: options.get(name, option.default) for name, option in agent.facts.options.items()}
    return {name: Path(value).name if name in folders else value for name, value in values.items()}


def input_path(agent: Agent, name: str, options: Mapping[str, str], competition: str, seed: int) -> Path:
    """Where an input of one attempt lies on the host; `options` as resolve_inputs left them."""
    one = agent.facts.inputs[name]
    chosen = Path(options[one.option])
    attempt = chosen if _is_attempt(chosen) else chosen / f"{competition}-s{seed}"
    if not attempt.is_dir():
        raise UsageError(f"The run {chosen.name} has no attempt {attempt.name} whose {name} could be taken.")
    if attempt.name.rpartition("-s")[0] != competition:
        raise UsageError(f"The attempt {attempt.name} is not of {competition}; its {name} is of no use there.")
    found = attempt / one.path
    if not found.exists() or (found.is_dir() and not any(found.iterdir())):
        raise UsageError(f"The attempt {attempt.parent.name}/{attempt.name} left no {one.path}.")
    return found


def place_inputs(
    agent: Agent, options: Mapping[str, str], competition: str, seed: int, control: Path, seen: PurePath
) -> dict[str, str]:
    """Copy an attempt's inputs into its control folder; returns the variables that say where the agent sees them.

    `seen`: where the agent sees the control folder. Earlier agents wrote these files: links are copied as links to
    nowhere at worst, never followed. Raises SandboxError where they are gone by now.
    """
    variables = {}
    for name in agent.facts.inputs:
        target = control / FOLDER / name
        try:
            source = input_path(agent, name, options, competition, seed)
            _check_size(source)
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir() and not source.is_symlink():
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copyfile(source, target, follow_symlinks=False)
            _readable(target.parent)
        except (UsageError, OSError) as problem:
            raise SandboxError(f"The input {name} cannot be given to the agent: {problem}") from None
        variables[f"INPUT_{name.upper().replace('-', '_')}"] = str(seen / FOLDER / name)
    return variables


def _find(chosen: str, runs_dir: Path) -> Path:
    """The absolute folder of RUN or RUN/ATTEMPT; RUN is a name below `runs_dir`, or a path."""
    for candidate in (runs_dir / chosen, Path(chosen).expanduser()):
        if (candidate / STORE_FILE).is_file() or _is_attempt(candidate):
            return candidate.absolute()
    raise UsageError(f"There is no run or attempt {chosen!r} in {runs_dir}; `mlebench runs list` shows the runs.")


def _is_attempt(folder: Path) -> bool:
    return (folder.parent / STORE_FILE).is_file() and folder.is_dir()


def _check_size(source: Path) -> None:
    total = 0
    for folder, _, files in os.walk(source):
        for name in files:
            total += (Path(folder) / name).lstat().st_size
            if total > MOST_BYTES:
                raise UsageError(
                    f"{source} is larger than {MOST_BYTES / 1e9:.0f} GB; nothing so large is given to an agent."
                )


def _readable(folder: Path) -> None:
    """The agent's user is not the owner."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
