"""Every `mlebench ...` that the documentation shows, as words a shell would hand over.

A code block shows whole commands, one a line; a backtick in a sentence may name a part of one (`mlebench info`).
What is written for people is written out: placeholders become values, `[--json]` is a command without it and one with
it, `a|b` is two commands, and `...` stands for nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "environment" / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("agents/*/README.md")),
]
VALUES = {"ID": "spaceship-titanic", "IDS": "spaceship-titanic", "N": "2", "NAME": "dummy"}
"""What stands for placeholders whose value matters; others (RUN, FILE, ...) are as good as any text."""
_CODE_LINE = re.compile(r"(?: {4,})(?:\$ )?(?:[A-Z_]+=\S* )*(mlebench .*)")
_FENCED_LINE = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S* )*(mlebench .*)")
_SPAN = re.compile(r"`(mlebench [^`]+)`")


@dataclass(frozen=True)
class Shown:
    """One command line, written out."""

    page: str
    text: str
    """As the page has it."""
    words: tuple[str, ...]
    """After `mlebench`."""
    whole: bool
    """It stands in a code block, to be copied, so nothing may be missing."""

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def shown_commands() -> list[Shown]:
    """All of them, each once."""
    found = (one for page in PAGES for one in _of_page(page))
    return list(dict.fromkeys(found))


def _of_page(page: Path) -> Iterator[Shown]:
    name, text = str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")
    prose = []
    fenced = False
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        fenced ^= line.startswith("```")
        command = (_FENCED_LINE if fenced else _CODE_LINE).fullmatch(line)
        if command:
            for words in _written_out(command[1]):
                yield Shown(name, command[1], words, True)
        elif not fenced:
            prose.append(line)
    for span in _SPAN.findall("\n".join(prose)):
        for words in _written_out(span):
            yield Shown(name, " ".join(span.split()), words, False)


def _written_out(line: str) -> Iterator[tuple[str, ...]]:
    """The commands that a line stands for."""
    line = re.split(r" (?:&&|\||<|>) (?![^\[]*\])", line)[0]
    parts = re.split(r"\[([^\]]*)\]", line.replace("[...]", ""))
    bare = [part if place % 2 == 0 else "" for place, part in enumerate(parts)]
    optional = [(place, one) for place in range(1, len(parts), 2) for one in parts[place].split(" | ")]
    for place, one in [(0, bare[0]), *optional]:
        text = " ".join([*bare[:place], one, *bare[place + 1 :]])
        words = [_word(word) for word in shlex.split(text, comments=True)]
        yield from product(*(word.split("|") for word in words[1:] if word))


def _word(word: str) -> str:
    plain = word.removesuffix("...")
    return VALUES.get(plain, plain)
