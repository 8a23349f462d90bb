"""Long texts made short by the fast model."""

from __future__ import annotations

from collections.abc import Callable

from researcher import prompts

Ask = Callable[[str], str]
"""Asks the fast model."""

BLOCK = 10_000
"""Characters that the fast model reads at a time."""
_MOST_BLOCKS = 10
LONG = 5_000
"""Longer observations are summarised."""


def blocks_at_line_ends(text: str, size: int = BLOCK) -> list[tuple[str, int, int]]:
    """Parts shorter than `size`, each with its first and last line number; only a longer line is cut."""
    parts: list[tuple[str, int, int]] = []
    block: list[str] = []
    length, first = 0, 1
    for number, line in enumerate(text.split("\n"), 1):
        if block and length + len(line) + 1 > size:
            parts.append(("\n".join(block), first, number - 1))
            block, length, first = [], 0, number
        if len(line) > size:
            parts += [(line[at : at + size], number, number) for at in range(0, len(line), size)]
            block, length, first = [], 0, number + 1
            continue
        block.append(line)
        length += len(line) + 1
    if block and any(block):
        parts.append(("\n".join(block), first, first + len(block) - 1))
    return parts or [("", 1, 1)]


def understand(text: str, name: str, wanted: str, ask: Ask) -> str:
    """What a file says about something."""
    parts = blocks_at_line_ends(text)
    findings = []
    for part, first, last in parts[:_MOST_BLOCKS]:
        findings.append(ask(prompts.understand(part, f"{name}, lines {first} to {last}", wanted)).strip())
    left_out = len(parts) - _MOST_BLOCKS
    answer = findings[0] if len(findings) == 1 else ask(prompts.merge_findings(findings, wanted)).strip()
    return answer + (f"\n(Only the first {_MOST_BLOCKS} of {len(parts)} parts were read.)" if left_out > 0 else "")


def shortened(answer: str, observation: str, ask: Ask) -> str:
    """The observation itself, or a summary of a long one."""
    if len(observation) <= LONG:
        return observation
    starts = range(0, len(observation), BLOCK)
    parts = [observation[at : at + BLOCK] for at in starts]
    if len(parts) > _MOST_BLOCKS:  # what a script printed last tells more than its middle
        half = _MOST_BLOCKS // 2
        parts = parts[:half] + parts[-half:]
    summaries = [
        _after_mark(ask(prompts.summarise(answer, part, f"part {number} of {len(parts)}")))
        for number, part in enumerate(parts, 1)
    ]
    if len(summaries) == 1:
        return summaries[0]
    return _after_mark(ask(prompts.merge_summaries(summaries)))


def cut(text: str, size: int) -> str:
    """The beginning and the end of a text that must not be longer."""
    if len(text) <= size:
        return text
    half = max(size // 2 - 30, 1)
    return f"{text[:half]}\n... ({len(text) - 2 * half:,} characters left out) ...\n{text[-half:]}"


def _after_mark(text: str) -> str:
    _, mark, after = text.partition("[Observation]:")
    return (after if mark else text).strip()
