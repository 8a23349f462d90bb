"""What of the scaffold has to behave otherwise in a benchmark; each change is named in README.md.

The agent itself (prompts, loop, parsing, tools) is untouched.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentkit.contract import Clock, Surroundings, write_atomically
from agentkit.execution import execute, python_command
from agentkit.hand_in import HandIn, collect_code

from mlab_launcher.settings import Settings

_AFTER_SCRIPT = 3.0
_LEFT_OUT = ("backup", "input")


class Mending:
    """Changes the scaffold's modules in place, once they can be imported."""

    def __init__(self, around: Surroundings, settings: Settings, clock: Clock, on_step: Callable[[int], None]) -> None:
        self._around, self._settings, self._clock, self._on_step = around, settings, clock, on_step
        self._submission: HandIn | None = None
        self._state: Path | None = None
        self.steps = 0
        self.final: tuple[str, str | None] | None = None
        """How the agent's loop ended."""

    def apply(self) -> None:
        """Import the scaffold's modules and change them."""
        import MLAgentBench.low_level_actions as actions
        from MLAgentBench.agents.agent import Agent
        from MLAgentBench.agents.agent_research import ResearchAgent
        from MLAgentBench.environment import Environment

        replaced = actions.check_file_in_work_dir(["script_name"])(actions.record_low_level_step(self._execute()))
        for number, info in enumerate(actions.LOW_LEVEL_ACTIONS):
            if info.name == "Execute Script":
                actions.LOW_LEVEL_ACTIONS[number] = dataclasses.replace(info, function=replaced)
        Environment.__enter__ = lambda env: env  # its alarm is replaced by ours, which leaves time for saving
        Environment.save = lambda env, step: self._save(env, step)
        state, run = Agent.save, ResearchAgent.run
        Agent.save = lambda agent, path: self._save_state(state, agent, Path(path))
        ResearchAgent.run = lambda agent, env: self._run(run, agent, env)

    def _execute(self) -> Callable[..., str]:
        """Execute Script with a time limit, after which nothing of the script goes on."""

        def execute_script(script_name: str, work_dir: str = ".", **kwargs: Any) -> str:
            from MLAgentBench.schema import EnvException

            script = Path(work_dir, script_name)
            if not script.is_file():
                raise EnvException(f"The file {script_name} does not exist.")
            limit = min(self._settings.exec_timeout, max(1.0, self._clock.left() - _AFTER_SCRIPT))
            done = execute(python_command(script), Path(work_dir), limit)
            self._hand_in(Path(work_dir)).look(script, whole=done.code == 0)
            said = done.stderr if done.code != 0 else done.stdout or done.stderr
            if done.code is None:
                said += f"\nThe script was ended: it took longer than {limit:.0f} seconds."
            elif done.code < 0:
                said += f"\nThe script was killed by signal {-done.code}."
            return "The script has been executed. Here is the output:\n" + said

        return execute_script

    def _hand_in(self, work: Path) -> HandIn:
        if self._submission is None:
            self._submission = HandIn(self._around, work)
        return self._submission

    def _save(self, env: Any, step: int | str) -> None:
        """The trace, the submission and the scripts after each step; not a copy of the whole workspace."""
        from MLAgentBench.schema import EnhancedJSONEncoder

        work, logs = Path(env.work_dir), Path(env.log_dir)
        self._hand_in(work).look()
        collect_code(work, self._around.code, leave_out=_LEFT_OUT)
        write_atomically(logs / "trace.json", json.dumps(env.trace, indent=1, cls=EnhancedJSONEncoder))
        if self._settings.snapshots and isinstance(step, int):
            collect_code(work, logs / "traces" / f"step_{step}_files", leave_out=_LEFT_OUT)
            old = logs / "traces" / f"step_{step - self._settings.snapshots}_files"
            shutil.rmtree(old, ignore_errors=True)
        if isinstance(step, int):
            self.steps = step + 1
            self._on_step(self.steps)
            last = env.trace.steps[-1]
            print(f"step {step}: {last.action.name}", flush=True)

    def _save_state(self, save: Callable[..., None], agent: Any, path: Path) -> None:
        """The agent's state holds its whole history: the newest is enough."""
        save(agent, str(path))
        if self._state is not None and self._state != path:
            self._state.unlink(missing_ok=True)
        self._state = path

    def _run(self, run: Callable[..., str], agent: Any, env: Any) -> str:
        message = run(agent, env)
        trace = env.trace
        limit = self._around.step_limit
        if "No valid response" in message:
            self.final = ("model_failure", "The model's answers had not the form asked for.")
        elif any(step.action.name == "Final Answer" for step in trace.steps):
            self.final = ("finished", str(trace.steps[-1].action.args.get("final_answer", ""))[:300] or None)
        elif limit is not None and max(len(trace.steps), len(agent.history_steps)) >= limit:
            self.final = ("out_of_steps", None)
        else:
            self.final = ("out_of_time", "The time limit is near.")
        return message
