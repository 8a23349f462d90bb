"""What answers the scaffold's chat completions: the gateway, under the names of this attempt's models."""

from __future__ import annotations

from typing import Any

from agentkit.chat import BudgetExhausted, ChatModel, ModelFailure, PromptTooLong, RequestRefused
from agentkit.contract import Ended

from mlab_launcher.settings import ROLES, Settings

_SHRINKINGS = 5


class Completions:
    """`create` has the signature and answer of the legacy client's `ChatCompletion.create`."""

    def __init__(self, chat: ChatModel, settings: Settings) -> None:
        self._chat, self._settings = chat, settings

    def create(self, **request: Any) -> dict[str, Any]:
        """Ask the model of the role that the name stands for.

        The scaffold takes any exception of a tool's model for an observation; what ends the run is therefore `Ended`.
        A refused request is an EnvException, which its tools report and its loop does not outlive.
        """
        role = ROLES[request["model"]]
        prompt = str(request["messages"][0]["content"])
        for _ in range(_SHRINKINGS):
            try:
                return self._ask(role, prompt, request.get("stop"))
            except PromptTooLong:
                # The beginning says what to do, the end what happened last; the scaffold itself cannot do with less.
                prompt = _without_middle(prompt)
        raise self._refusal(role, "the prompt is too long for the model")

    def _ask(self, role: str, prompt: str, stop: Any) -> dict[str, Any]:
        settings = self._settings
        try:
            answer = self._chat.ask(
                settings.models[role],
                [{"role": "user", "content": prompt}],
                role=role,
                temperature=settings.temperature[role],
                max_tokens=settings.max_tokens[role],
                stop=stop,
            )
        except BudgetExhausted as refusal:
            raise Ended("finished", f"The budget is used up: {refusal}") from None
        except ModelFailure as problem:
            raise Ended("model_failure", str(problem)) from None
        except PromptTooLong:
            raise
        except RequestRefused as refusal:
            raise self._refusal(role, str(refusal)) from None
        return {"choices": [{"message": {"role": "assistant", "content": _until(answer.text, stop)}}]}

    def _refusal(self, role: str, reason: str) -> BaseException:
        from MLAgentBench.schema import EnvException

        if role == "agent":
            return Ended("model_failure", f"The model refuses the agent's prompt: {reason}")
        return EnvException(f"the assistant refused: {reason}")


def _until(text: str, stop: Any) -> str:
    """Servers do not all heed `stop`."""
    for word in stop or ():
        text = text.split(str(word))[0]
    return text


def _without_middle(text: str) -> str:
    third = max(len(text) // 3, 1)
    return f"{text[:third]}\n... (left out) ...\n{text[-third:]}"
