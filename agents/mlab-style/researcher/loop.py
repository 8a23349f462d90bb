"""The agent's loop: prompt, answer, action, observation; and the log of all four."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from agentkit.chat import Answer, BudgetExhausted, ModelFailure, PromptTooLong, RequestRefused
from agentkit.contract import Clock, Surroundings, append_line

from researcher import prompts
from researcher.actions import FINAL_ANSWER, Actions
from researcher.answers import STOP, AnswerError, ArgumentsError, Entries, read_answer, read_arguments
from researcher.reading import Ask, cut, shortened
from researcher.settings import Settings

_BAD_ARGUMENTS = "ActionInputParsingError"
_SHORTEST_STEP = 2.0
"""With fewer seconds left no step is begun."""
_REFUSALS = 3


@dataclass(frozen=True)
class Step:
    """One step as later prompts show it."""

    answer: str
    observation: str


class Researcher:
    """Works until a final answer, the last step, or the end of the time."""

    def __init__(
        self,
        around: Surroundings,
        settings: Settings,
        clock: Clock,
        actions: Actions,
        task: str,
        ask: Callable[[str], Answer],
        fast: Ask,
        on_step: Callable[[int], None],
    ) -> None:
        self._around, self._settings, self._clock, self._actions = around, settings, clock, actions
        self._ask, self._fast, self._on_step = ask, fast, on_step
        self._initial = prompts.initial(actions.shown(settings.more_actions), task)
        self._history: list[Step] = []
        self.steps = 0
        (around.logs / "initial_prompt.txt").write_text(self._initial, encoding="utf-8")

    def close(self) -> None:
        """Everything is handed in and written down as it comes; nothing is left to save."""

    def go(self) -> tuple[str, str | None]:
        """Returns the end and a message. Ended, BudgetExhausted and ModelFailure pass through."""
        while True:
            if self._around.step_limit is not None and self.steps >= self._around.step_limit:
                return "out_of_steps", None
            if self._clock.left() < _SHORTEST_STEP:
                return "out_of_time", "The time limit is near."
            self._on_step(self.steps)
            started = self._clock.passed()
            answer, entries = self._next()
            arguments, observation = self._act(entries)
            self.steps += 1
            self._log(started, answer, entries, observation)
            if entries.action == FINAL_ANSWER and arguments is not None:
                return "finished", cut(arguments["final_answer"], 300)
            self._remember(entries, self._short(entries, observation))

    def _next(self) -> tuple[Answer, Entries]:
        """The model's next answer; those without the right form are asked for again."""
        reminders, shown = "", self._settings.steps_in_context
        refusals = invalid = 0
        size: int | None = None
        while True:
            prompt = self._prompt(shown, size) + reminders
            try:
                answer = self._ask(prompt)
            except PromptTooLong:
                if shown > 1:
                    shown -= 1
                elif size is None or size > 500:
                    size = 4000 if size is None else size // 2
                else:
                    raise ModelFailure("The task itself is longer than the model can read.") from None
                continue
            except RequestRefused as refusal:
                refusals += 1
                if refusals >= _REFUSALS:
                    raise ModelFailure(str(refusal)) from None
                time.sleep(min(1.0, self._clock.left()))
                continue
            try:
                return answer, read_answer(answer.text, self._actions.all)
            except AnswerError as fault:
                append_line(
                    self._around.logs / "steps.jsonl",
                    {"step": self.steps, "thrown_away": str(fault), "completion": cut(answer.text, 4000)},
                )
                invalid += 1
                if invalid >= self._settings.max_retries:
                    raise ModelFailure(
                        f"The model's last {invalid} answers had not the form asked for: {fault}."
                    ) from None
                reminders = prompts.reminder(str(fault))

    def _prompt(self, shown: int, size: int | None) -> str:
        last = self._history[-shown:] if shown > 0 else []
        if not self._history:
            return self._initial + prompts.START
        steps = (
            prompts.step(one.answer, one.observation if size is None else cut(one.observation, size)) for one in last
        )
        return self._initial + "".join(steps) + prompts.NEXT

    def _act(self, entries: Entries) -> tuple[dict[str, str] | None, str]:
        action = self._actions.all[entries.action]
        try:
            arguments = read_arguments(entries.arguments, action.arguments)
        except ArgumentsError as fault:
            return None, f"{_BAD_ARGUMENTS}: {fault}. {prompts.usage(action.name, action.arguments)}"
        try:
            return arguments, self._actions.carry_out(action.name, arguments)
        except RequestRefused as refusal:
            return arguments, f"Error: the assistant refused: {refusal}"

    def _short(self, entries: Entries, observation: str) -> str:
        try:
            return shortened(entries.text(), observation, self._fast)
        except (BudgetExhausted, ModelFailure):
            raise
        except RequestRefused:
            return cut(observation, 4000)

    def _remember(self, entries: Entries, observation: str) -> None:
        if not observation.startswith(_BAD_ARGUMENTS):
            self._history = [one for one in self._history if not one.observation.startswith(_BAD_ARGUMENTS)]
        self._history.append(Step(entries.text(), observation + "\n" + self._left()))
        del self._history[: -max(self._settings.steps_in_context, 1) - self._settings.max_retries]

    def _left(self) -> str:
        lines = []
        if self._clock.limit is not None:
            lines.append(f"TIME_REMAINING: {self._clock.left():.0f} seconds")
        if self._around.step_limit is not None:
            lines.append(f"STEPS_REMAINING: {self._around.step_limit - self.steps}")
        return "\n".join(lines)

    def _log(self, started: float, answer: Answer, entries: Entries, observation: str) -> None:
        facts = {
            "step": self.steps - 1,
            "at": round(started, 2),
            "seconds": round(self._clock.passed() - started, 2),
            "action": entries.action,
            "arguments": entries.arguments,
            "completion": answer.text,
            "observation": cut(observation, 100_000),
            "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out,
        }
        append_line(self._around.logs / "steps.jsonl", facts)
        prompt = self._prompt(self._settings.steps_in_context, None).removeprefix(self._initial)
        append_line(self._around.logs / "prompts.jsonl", {"step": self.steps - 1, "after_initial_prompt": prompt})
        print(f"step {self.steps - 1}: {entries.action}: {cut(observation, 300)}", flush=True)


STOPS = [STOP]
"""Given to the server, so that it does not go on."""
