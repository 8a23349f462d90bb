"""Does an agent work? It is run on a practice competition against a scripted model, and what it did is looked at.

The first run shows whether it starts, asks, submits and leaves what it should; the second, with a model that never
answers, whether it ends when its time is over. Both are ordinary runs (`mlebench run`) in a folder of their own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlebench.agents.agent import Agent
from mlebench.agents.check_runs import Bench, leftovers
from mlebench.errors import SandboxError, UsageError

COMPETITION = "practice-breast-cancer"
HANG = "check-hang"
"""Name of the scripted model that never answers."""
_GRACE_SECONDS = 20
_KILLED = (137, -9)


class Verdict(StrEnum):
    """What a line of the check says."""

    OK = "ok"
    NOTE = "note"
    """Works, but something is missing that people will miss."""
    FAIL = "fail"
    SKIP = "skip"
    """Cannot be tried with this agent."""


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class CheckOptions:
    """How to check."""

    model: str = "scripted/demo"
    sandbox: str = "docker"
    seconds: int = 90
    """Time limit of the first run."""

    @property
    def hang_seconds(self) -> int:
        """Time limit of the second."""
        return min(20, max(8, self.seconds // 4))


def check_agent(agent: Agent, options: CheckOptions, bench: Bench) -> Iterator[Line]:
    """Yield what works and what does not, as it is found out; ends early where nothing more can be tried."""
    ready = list(_ready(agent, options))
    yield from ready
    if any(line.verdict is Verdict.FAIL for line in ready):
        return
    wants_model = agent.facts.models is not None
    if agent.facts.network and bench.network == "none":
        yield Line("network", Verdict.FAIL, "It needs the network; allow it with `--network full` or `allow=HOST`.")
        return
    done = bench.run(agent.folder, options.model if wants_model else None, options.seconds, _GRACE_SECONDS)
    attempt = done.attempt
    if attempt is None:
        yield Line("starts", Verdict.FAIL, done.complaint or "The run did not come to an end.")
        return
    yield from _began(attempt, done.log)
    if attempt["end"] == "infrastructure":
        return
    if wants_model:
        yield from _asked(attempt["usage"] or {})
    yield from _submitted(attempt)
    yield from _left(attempt, done.folder)
    if wants_model:
        held = bench.run(_with_hang(agent, bench.folder), f"scripted/{HANG}", options.hang_seconds, _GRACE_SECONDS)
        yield _time_kept(held.attempt, held.complaint, options.hang_seconds)
    else:
        yield Line("keeps the time limit", Verdict.SKIP, "It uses no model that could hold it up; not tried.")
    found = leftovers(bench.folder)
    detail = f"Still there: {', '.join(found)}." if found else "No container and no process is left."
    yield Line("leaves nothing behind", Verdict.FAIL if found else Verdict.OK, detail)


def _ready(agent: Agent, options: CheckOptions) -> Iterator[Line]:
    from mlebench.sandbox import get_sandbox

    facts = agent.facts
    yield Line("agent.toml", Verdict.OK, f"{facts.name}: {' '.join(facts.command)}")
    if facts.models is not None and options.model.startswith("scripted/"):
        script = agent.folder / "scripted" / f"{options.model.removeprefix('scripted/')}.json"
        if not script.is_file():
            missing = f"There is no {script}; write the model's answers there (docs/gateway.md), or give --model."
            yield Line("scripted model", Verdict.FAIL, missing)
    if facts.inputs:
        needs = ", ".join(facts.inputs)
        yield Line("inputs", Verdict.FAIL, f"It needs {needs} of an earlier attempt, so it cannot be checked alone.")
    if options.sandbox == "process" and not facts.process:
        yield Line("sandbox", Verdict.FAIL, "It runs in containers only; leave out --sandbox process.")
        return
    try:
        get_sandbox(options.sandbox).check(facts.image if options.sandbox == "docker" else None)
    except SandboxError as error:
        yield Line("image" if options.sandbox == "docker" else "sandbox", Verdict.FAIL, str(error))
        return
    if options.sandbox == "docker":
        yield _image(agent)


def _image(agent: Agent) -> Line:
    from mlebench.agents.images import Engine, image_state

    state, _ = image_state(agent, Engine())
    if state == "stale":
        again = f"{agent.facts.image} was built from other files; build it again with `mlebench agents build`."
        return Line("image", Verdict.NOTE, again)
    return Line("image", Verdict.OK, f"{agent.facts.image} is there")


def _began(attempt: dict[str, Any], log: str) -> Iterator[Line]:
    end, code = attempt["end"], attempt["exit_code"]
    last = " | ".join(line for line in log.splitlines()[-5:] if line.strip())
    if end == "infrastructure":
        yield Line("starts", Verdict.FAIL, attempt["message"] or "The sandbox failed.")
        return
    if code in (126, 127):
        yield Line("starts", Verdict.FAIL, f"Its command cannot be run (exit code {code}). {last}")
        return
    took = _seconds(attempt)
    yield Line("starts", Verdict.OK, f"ran for {took:.0f} s")
    if end in ("finished", "out_of_steps"):
        yield Line("ends", Verdict.OK, str(end).replace("_", " "))
    elif end == "out_of_time":
        yield Line("ends", Verdict.NOTE, "It used all of its time; with a scripted model it could have ended.")
    else:
        yield Line("ends", Verdict.FAIL, f"{end}: {attempt['message'] or ''} {last}".strip())


def _asked(usage: dict[str, Any]) -> Iterator[Line]:
    calls, errors, refused = (usage.get(key) or 0 for key in ("calls", "errors", "refused"))
    if not calls:
        never = "It never asked the model: it must send its requests to OPENAI_BASE_URL (or the door of its protocol)."
        yield Line(
            "asks the model", Verdict.FAIL, never if not refused else f"All of its {refused} calls were refused."
        )
        return
    told = f"{calls} calls" + (f", {errors} failed" if errors else "") + (f", {refused} refused" if refused else "")
    yield Line("asks the model", Verdict.NOTE if errors or refused else Verdict.OK, told)
    tokens_in, tokens_out = usage.get("tokens_in") or 0, usage.get("tokens_out") or 0
    good = tokens_in > 0 and tokens_out > 0
    estimated = f", {usage['unmetered']} calls estimated" if usage.get("unmetered") else ""
    detail = f"{tokens_in} tokens in, {tokens_out} out{estimated}"
    yield Line("tokens are metered", Verdict.OK if good else Verdict.FAIL, detail)


def _submitted(attempt: dict[str, Any]) -> Iterator[Line]:
    grade = attempt["grade"] or {}
    outcome = grade.get("outcome")
    if outcome in (None, "no_submission"):
        yield Line("writes a submission", Verdict.FAIL, "There is no submission.csv in its submission folder.")
        return
    yield Line("writes a submission", Verdict.OK, "submission.csv")
    if outcome == "graded":
        yield Line("is valid", Verdict.OK, f"score {grade['score']:.5g} on {COMPETITION}")
    else:
        yield Line("is valid", Verdict.FAIL, str(grade.get("message") or outcome))


def _left(attempt: dict[str, Any], folder: Path) -> Iterator[Line]:
    claim = attempt["claim"]
    if claim is None:
        missing = "It leaves none in its logs folder; how it ended is told by the exit code alone."
        yield Line("outcome.json", Verdict.NOTE, missing)
    else:
        steps = f" after {claim['steps']} steps" if claim.get("steps") is not None else ""
        said = f": {claim['message']}" if claim.get("message") else ""
        yield Line("outcome.json", Verdict.OK, f"says {claim['end']}{steps}{said}")
    solution = folder / "code" / "solution.py"
    if solution.is_file():
        yield Line("code/solution.py", Verdict.OK, f"{solution.stat().st_size} bytes")
    else:
        yield Line("code/solution.py", Verdict.NOTE, "It leaves none; the agent `replay` could not run its best again.")


def _time_kept(attempt: dict[str, Any] | None, complaint: str | None, limit: int) -> Line:
    what = "keeps the time limit"
    if attempt is None:
        return Line(what, Verdict.FAIL, complaint or "The run did not come to an end.")
    took, end = _seconds(attempt), attempt["end"]
    if attempt["exit_code"] in _KILLED:
        late = f"It went on for {_GRACE_SECONDS} s after SIGTERM (time limit {limit} s) and had to be killed."
        return Line(what, Verdict.FAIL, f"{late} Save what there is and end on SIGTERM.")
    if end == "out_of_time":
        how = "by itself" if attempt["exit_code"] == 0 and took <= limit else "on SIGTERM"
        return Line(what, Verdict.OK, f"ended {how} after {took:.0f} s of {limit} s")
    if end == "infrastructure":
        return Line(what, Verdict.FAIL, attempt["message"] or "The sandbox failed.")
    early = f"It did not wait for a model that does not answer: {end} after {took:.0f} s of {limit} s."
    return Line(what, Verdict.NOTE, early)


def _with_hang(agent: Agent, folder: Path) -> Path:
    """A copy of the agent's folder with one more scripted model: one that never answers."""
    copy = folder / "agent" / agent.folder.name
    if not copy.exists():
        shutil.copytree(agent.folder, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "scripted").mkdir(exist_ok=True)
        text = json.dumps({"rules": [{"reply": {"hang": True}}]})
        (copy / "scripted" / f"{HANG}.json").write_text(text, encoding="utf-8")
    return copy


def _seconds(attempt: dict[str, Any]) -> float:
    if not attempt["started_at"] or not attempt["ended_at"]:
        return 0.0
    started, ended = (datetime.fromisoformat(attempt[key]) for key in ("started_at", "ended_at"))
    return (ended - started).total_seconds()


def require_practice(folder: Path, data_dir: Path | None) -> Path:
    """A data directory in which the practice competition is prepared: the user's, or one in `folder`."""
    from mlebench.data.paths import DataDir
    from mlebench.data.prepare import prepare_competition
    from mlebench.registry import Registry

    competition = Registry().get(COMPETITION)
    users = DataDir.locate(data_dir)
    try:
        users.require_prepared(competition)
        return users.root
    except UsageError:
        own = DataDir(folder / "data")
        prepare_competition(competition, own)
        return own.root
