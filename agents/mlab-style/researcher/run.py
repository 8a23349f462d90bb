"""From the environment to an outcome."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NoReturn

from agentkit.chat import Answer, ChatModel
from agentkit.contract import Clock, Surroundings, Watch
from agentkit.driving import drive

from researcher.actions import Actions
from researcher.loop import STOPS, Researcher
from researcher.settings import Settings
from researcher.task import task_text
from researcher.workspace import Workspace


def build(around: Surroundings, settings: Settings, clock: Clock) -> Researcher:
    """Put the parts together."""
    chat = ChatModel.of(around, clock, timeout=settings.model_timeout, patience=settings.model_patience)

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


def begin(around: Surroundings, clock: Clock, watch: Watch) -> Researcher:
    """The attempt's work, for agentkit.driving."""
    return build(around, Settings.read(around), clock)


def main() -> NoReturn:
    """Run the attempt and end the process."""
    drive(begin)
