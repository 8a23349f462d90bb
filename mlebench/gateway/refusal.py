"""Requests that are turned away, each with a word for programs and a sentence for people."""

from __future__ import annotations


class Refusal(Exception):
    """The agent's request is not passed on."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class BudgetExhausted(Refusal):
    """A hard limit of the attempt is reached."""

    def __init__(self, which: str, sentence: str) -> None:
        super().__init__(429, "budget_exhausted", sentence)
        self.which = which
