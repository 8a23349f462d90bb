"""From the environment to an outcome."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

from agentkit.chat import Answer, BudgetExhausted, ChatModel, ModelFailure
from agentkit.contract import Clock, Ended, OptionError, Surroundings, Watch, write_outcome
from agentkit.processes import adopt_orphans, end_descendants

from researcher.actions import Actions
from researcher.loop import STOPS, Researcher
from researcher.settings import Settings
from researcher.task import task_text
from researcher.workspace import Workspace


def build(around: Surroundings, settings: Settings, clock: Clock) -> Researcher:
    """Put the parts together."""
    chat = ChatModel(
        around.environment.get("OPENAI_BASE_URL", ""),
        around.environment.get("OPENAI_API_KEY", ""),
        clock,
        around.logs / "usage.jsonl",
        timeout=settings.model_timeout,
        patience=settings.model_patience,
    )

    def ask(role: str, model: str, prompt: str, temperature: float | None, **parameters: object) -> Answer:
        messages = [{"role": "user", "content": prompt}]
        return chat.ask(model, messages, role=role, temperature=temperature, **parameters)

    def agent(prompt: str) -> Answer:
        limits = {"max_tokens": settings.max_tokens, "stop": STOPS}
        return ask("agent", settings.agent_model, prompt, settings.temperature, **limits)

    def fast(prompt: str) -> str:
        return ask("fast", settings.fast_model, prompt, settings.fast_temperature).text

    def edit(prompt: str) -> str:
        limits = {"max_tokens": settings.edit_max_tokens}
        return ask("edit", settings.edit_model, prompt, settings.temperature, **limits).text

    def at_step(number: int) -> None:
        chat.step = number

    workspace = Workspace(Path(tempfile.mkdtemp(prefix="mlab-style-")) / "work", around.data)
    actions = Actions(around, workspace, clock, exec_timeout=settings.exec_timeout, fast=fast, edit=edit)
    task = task_text(around, exec_timeout=settings.exec_timeout)
    return Researcher(around, settings, clock, actions, task, agent, fast, at_step)


def main() -> NoReturn:
    """Run the attempt and end the process."""
    logs, end, message = Path(os.environ.get("LOGS_DIR", "/home/logs")), "crashed", None
    watch: Watch | None = None
    researcher: Researcher | None = None
    try:
        adopt_orphans()
        around = Surroundings.read()
        logs = around.logs
        clock = Clock(around.time_limit)
        settings = Settings.read(around)
        watch = Watch(clock)
        watch.start()
        researcher = build(around, settings, clock)
        end, message = researcher.go()
    except OptionError as problem:
        message = str(problem)
    except Ended as ended:
        end, message = ended.end, str(ended)
    except BudgetExhausted as refusal:
        end, message = "finished", f"The budget is used up: {refusal}"
    except ModelFailure as problem:
        end, message = "model_failure", str(problem)
    except Exception as problem:
        traceback.print_exc()
        message = f"{type(problem).__name__}: {problem}"
    if watch is not None:
        watch.stop()
    end_descendants()
    write_outcome(logs, end, message, researcher.steps if researcher is not None else 0)
    print(f"ended: {end}" + (f" ({message})" if message else ""), flush=True)
    sys.stderr.flush()
    os._exit(1 if end == "crashed" else 0)
