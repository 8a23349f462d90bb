"""Reading a model's answer: six entries in a fixed order, the last of them the action's arguments as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

ENTRIES = ("Reflection", "Research Plan and Status", "Fact Check", "Thought", "Action", "Action Input")
STOP = "Observation:"
"""An answer ends where the model would go on and make up what it is going to see."""


class AnswerError(Exception):
    """An answer without the form asked for; says what is wrong."""


class ArgumentsError(Exception):
    """Arguments that cannot be read, or that are not those of the action."""


@dataclass(frozen=True)
class Entries:
    """An answer taken apart."""

    reflection: str
    plan: str
    fact_check: str
    thought: str
    action: str
    arguments: str

    def text(self) -> str:
        """The answer in its form again, without the marks of what was new in the plan."""
        values = (self.reflection, self.plan, self.fact_check, self.thought, self.action, self.arguments)
        return "\n".join(f"{name}: {value}" for name, value in zip(ENTRIES, values, strict=True))


def read_answer(text: str, actions: Collection[str]) -> Entries:
    """Take an answer apart. Raises AnswerError when an entry is missing or the action unknown."""
    text = cut_at_stop(text)
    found: list[tuple[int, int]] = []
    position = 0
    for name in ENTRIES:
        heading = re.compile(rf"^[ \t]*[*#]*[ \t]*{re.escape(name)}[ \t]*\**[ \t]*:[ \t]*\**", re.MULTILINE)
        match = heading.search(text, position)
        if match is None:
            raise AnswerError(f"the entry {name!r} is missing, or not where it belongs")
        found.append((match.start(), match.end()))
        position = match.end()
    ends = [start for start, _ in found[1:]] + [len(text)]
    values = [text[begin:end].strip() for (_, begin), end in zip(found, ends, strict=True)]
    action = values[4].strip("`* \n.")
    if action not in actions:
        raise AnswerError(f"there is no action {action!r}; there are: {', '.join(actions)}")
    plan = values[1].strip("`").replace("**", "").strip()
    return Entries(values[0], plan, values[2], values[3], action, values[5])


def cut_at_stop(text: str) -> str:
    """The answer up to the observation that it invents; servers do not all stop there."""
    match = re.search(rf"^[ \t]*\**{STOP}", text, re.MULTILINE)
    return text[: match.start()] if match else text


def read_arguments(text: str, names: Collection[str]) -> dict[str, str]:
    """The arguments by name, as text. Raises ArgumentsError."""
    values = _as_json(text)
    if values is None:
        values = _by_names(text, names)
    if values is None:
        raise ArgumentsError("it is not a JSON object")
    missing, unknown = [n for n in names if n not in values], [n for n in values if n not in names]
    if missing or unknown:
        faults = [f"missing: {', '.join(missing)}"] if missing else []
        faults += [f"unknown: {', '.join(map(str, unknown))}"] if unknown else []
        raise ArgumentsError("; ".join(faults))
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _as_json(text: str) -> dict[str, Any] | None:
    """The first JSON object; line ends within strings and texts in triple quotes are let pass."""
    start = text.find("{")
    if start < 0:
        return None
    decoder = json.JSONDecoder(strict=False)
    mended = re.sub(r'"""(.*?)"""', lambda match: json.dumps(match[1]), text, flags=re.DOTALL)
    for candidate in (text[start:], mended[mended.find("{") :]):
        try:
            value, _ = decoder.raw_decode(candidate)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return None


def _by_names(text: str, names: Collection[str]) -> dict[str, Any] | None:
    """Each value is what stands between its name and the next: for texts whose quotes are not escaped."""
    keys = list(names)
    if not keys:
        return None
    pattern = r",?\s*".join(rf'"{re.escape(key)}"\s*:\s*(.*?)' for key in keys)
    match = re.search(r"\{\s*" + pattern + r"\s*\}\s*(?:```)?\s*$", text, re.DOTALL)
    if match is None:
        return None
    return {key: _unquoted(value) for key, value in zip(keys, match.groups(), strict=True)}


def _unquoted(value: str) -> str:
    value = value.strip().rstrip(",").strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return value.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')


def code_block(text: str) -> str | None:
    """The longest block of Python in an answer; None where there is none."""
    blocks = re.findall(r"```(?:python|py)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", text, re.DOTALL)
    return max(blocks, key=len).strip("\n") + "\n" if blocks and max(blocks, key=len).strip() else None
