"""AIDE's model backend: its two kinds of requests, sent through the gateway with bounded patience.

AIDE itself retries for ever, dies of malformed function arguments and throws token counts away.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from agentkit.chat import Answer, ChatModel, ModelFailure, PromptTooLong, RequestRefused, ToolsRefused

from aide_driver.settings import Settings

REVIEW_TRIES = 3
"""How often one review is asked for until it can be read."""
UNREADABLE_REVIEWS = 5
"""So many unreadable reviews in a row mean that this model cannot review at all."""


class Backend:
    """Stands in for every function of aide.backend.provider_to_query_func."""

    def __init__(self, chat: ChatModel, settings: Settings) -> None:
        self._chat = chat
        self._temperatures = {"code": settings.code_temperature, "feedback": settings.feedback_temperature}
        self._speaker: dict[str, str] = {}
        self._unreadable = 0

    def query(
        self,
        system_message: str | None,
        user_message: str | None,
        func_spec: Any = None,
        *,
        model: str,
        **ignored: object,
    ) -> tuple[str | dict[str, Any], float, int, int, dict[str, Any]]:
        """AIDE's signature: answer, seconds, tokens in, tokens out, further facts."""
        prompt = "\n\n".join(part for part in (system_message, user_message) if part)
        if func_spec is None:
            answer = self._ask(model, prompt, "code")
            return answer.text, answer.seconds, answer.tokens_in, answer.tokens_out, {}
        review, answers = self._review(model, prompt, func_spec)
        tokens = sum(a.tokens_in for a in answers), sum(a.tokens_out for a in answers)
        return review, sum(a.seconds for a in answers), *tokens, {}

    def _ask(self, model: str, prompt: str, role: str, **parameters: Any) -> Answer:
        """AIDE sends its prompt as one system message; providers that want a user's get that."""
        temperature = self._temperatures[role]

        def ask(speaker: str) -> Answer:
            messages = [{"role": speaker, "content": prompt}]
            return self._chat.ask(model, messages, role=role, temperature=temperature, **parameters)

        speaker = self._speaker.get(model)
        if speaker is not None:
            return ask(speaker)
        try:
            answer = ask("system")
            self._speaker[model] = "system"
        except (ToolsRefused, PromptTooLong):
            raise
        except RequestRefused:
            answer = ask("user")
            self._speaker[model] = "user"
        return answer

    def _review(self, model: str, prompt: str, spec: Any) -> tuple[dict[str, Any], list[Answer]]:
        answers: list[Answer] = []
        why = ""
        for _ in range(REVIEW_TRIES + 1):  # one of them may teach that the model takes no functions
            if len(answers) == REVIEW_TRIES:
                break
            by_text = not self._chat.offers(model, "tools")
            parameters = {} if by_text else {"tools": [spec.as_openai_tool_dict]}
            if not by_text:
                parameters["tool_choice"] = spec.openai_tool_choice_dict
            asked = prompt + _in_words(spec.json_schema) if by_text else prompt
            try:
                answers.append(self._ask(model, asked, "feedback", **parameters))
            except RequestRefused as refusal:
                why = str(refusal)
                continue
            review = read_review(answers[-1])
            if review is not None:
                self._unreadable = 0
                return review, answers
            why = "it is no JSON object of the form asked for"
        self._unreadable += 1
        if self._unreadable >= UNREADABLE_REVIEWS:
            raise ModelFailure(f"{model} gave no readable review {self._unreadable} times in a row: {why}.")
        summary = f"The review of this script could not be read ({why}), so that nothing is known of its result."
        return {"is_bug": True, "summary": summary, "metric": None, "lower_is_better": False}, answers


def read_review(answer: Answer) -> dict[str, Any] | None:
    """The review in AIDE's terms, from a function call or from text; None where there is none."""
    raw = answer.tool[1] if answer.tool is not None else answer.text
    found = _first_object(raw)
    if found is None or "is_bug" not in found:
        return None
    return {
        "is_bug": _truth(found["is_bug"]),
        "summary": str(found.get("summary") or ""),
        "metric": _finite(found.get("metric")),
        "lower_is_better": _truth(found.get("lower_is_better", False)),
    }


def _first_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        start = text.find("{", start + 1)
    return None


def _truth(value: object) -> bool:
    return value.strip().lower() in ("true", "yes", "1") if isinstance(value, str) else bool(value)


def _finite(value: object) -> float | None:
    """AIDE takes only a float for a metric; models also send 1, "0.9" and NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _in_words(schema: Mapping[str, Any]) -> str:
    lines = [f'- "{name}" ({facts["type"]}): {facts["description"]}' for name, facts in schema["properties"].items()]
    return "\n\nAnswer with one JSON object and nothing else. Its keys:\n" + "\n".join(lines) + "\n"
