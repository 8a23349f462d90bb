"""Every text that a model is given; our own wording of a ReAct research agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from researcher.answers import ENTRIES, STOP

_ENTRY_HELP = {
    "Reflection": "what the last observation means; after an error, its likely cause and what to do about it",
    "Research Plan and Status": (
        "the whole plan, with what is done, what is going on and the results so far. It is your only memory: repeat all "
        "that still matters. Mark what is new with two asterisks, **like this**. Numbers count only once you saw them in "
        "an observation"
    ),
    "Fact Check": "for each thing that is new in the plan: confirmed by the last observation, or a guess",
    "Thought": "what you are about to do, and why",
    "Action": "the name of one action of the list",
    "Action Input": "its arguments as one JSON object",
}


def initial(actions: Iterable[tuple[str, str, Mapping[str, str]]], task: str) -> str:
    """The beginning of every prompt: actions (name, help, arguments), task, rules, form of the answer."""
    shown = "\n\n".join(_action(*one) for one in actions)
    form = "\n".join(f"{name}: {_ENTRY_HELP[name]}" for name in ENTRIES)
    return f"""You are a machine-learning researcher who works alone, by actions, on the problem below. The actions are:

{shown}

PROBLEM

{task}

RULES

- Begin with a plan. Get a simple solution to work from end to end and hand it in; then measure, and improve what you
  measured.
- Judge every change by a score on held-out training data that your scripts print. Believe only scores that you saw.
- State results only after an observation confirmed them.
- Packages cannot be installed, and nothing can be asked of anybody.
- Final Answer ends the work for good. Use it only when nothing that is worth its time is left to try.

FORM OF EVERY ANSWER: these {len(ENTRIES)} entries, each beginning on a line of its own, in this order:

{form}

After that the action is carried out and you are given what follows from it:

{STOP}
```
what came of the action
```
"""


def step(answer: str, observation: str) -> str:
    """An earlier step in a prompt."""
    return f"\n{answer}\n{STOP}\n```\n{observation}\n```\n"


START = "\nThis is the first step.\n"
NEXT = "\nNow the next step.\n"


def reminder(fault: str) -> str:
    """What is added after an answer without the right form."""
    return (
        f"\nYour last answer was not in the form asked for ({fault}) and was thrown away. "
        f"Answer again, with all of these entries in this order: {', '.join(ENTRIES)}.\n"
    )


def usage(name: str, arguments: Mapping[str, str]) -> str:
    """How an action is called, for an answer whose arguments were wrong."""
    return f"{name} wants exactly these arguments, as a JSON object:\n{_arguments(arguments)}"


def understand(text: str, place: str, wanted: str) -> str:
    """A part of a file for the fast model."""
    return f"""This is {place}:

```
{text}
```

Somebody needs to know: {wanted}

Say briefly what this part tells about it, and name the lines that matter. State only what stands there; where it says
nothing about a point, say so. Do not guess numbers.
"""


def merge_findings(parts: Iterable[str], wanted: str) -> str:
    """Findings about the parts of one file."""
    found = "\n\n".join(f"Part {number}:\n{part}" for number, part in enumerate(parts, 1))
    return f"""These are findings about the parts of one file, in order:

{found}

Somebody needs to know: {wanted}

Put the findings together into one answer, without adding anything to them.
"""


def summarise(answer: str, text: str, place: str) -> str:
    """A part of a long observation for the fast model."""
    return f"""A researcher took this step:

{answer}

What came of it is too long to be read whole. This is {place}:

```
{text}
```

Summarise it after the word [Observation]: with every fact, number, warning and error that matters. State only what
stands there, and give no advice.
"""


def merge_summaries(parts: Iterable[str]) -> str:
    """Summaries of the parts of one observation."""
    found = "\n\n".join(f"Part {number}:\n{part}" for number, part in enumerate(parts, 1))
    return f"""These are summaries of the parts of one observation, in order:

{found}

Put them together after the word [Observation]: without adding anything.
"""


def edit(script: str, instruction: str, *, part: bool = False) -> str:
    """A script for the edit model."""
    what = "part of a Python script" if part else "Python script"
    return f"""This is a {what}:

```python
{script}
```

Edit the script by following this instruction, and change nothing else:

{instruction}

Answer with the whole {what} as it is after the edit, in one block that begins with ```python
"""


def _action(name: str, help_text: str, arguments: Mapping[str, str]) -> str:
    return f"{name}: {help_text}\nAction: {name}\nAction Input: {_arguments(arguments)}"


def _arguments(arguments: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": "{what}"' for name, what in arguments.items()) + "}"
