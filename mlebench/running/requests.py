"""What people write on the command line of `mlebench run`, taken apart."""

from __future__ import annotations

from collections.abc import Iterable

from mlebench.errors import UsageError


def parse_models(words: Iterable[str]) -> tuple[str | None, dict[str, str]]:
    """The model, and those of single roles, from `provider/name` and `ROLE=provider/name`.

    Model names may hold `=` themselves, after the slash.
    """
    model, roles = None, {}
    for word in words:
        role, equals, reference = word.partition("=")
        if equals and "/" not in role:
            if role in roles:
                raise UsageError(f"The role {role} has two models; give one.")
            roles[role] = reference
        elif model is not None:
            raise UsageError(f"Two models are given, {model} and {word}; for a single role write ROLE=provider/name.")
        else:
            model = word
    return model, roles


def parse_options(words: Iterable[str]) -> dict[str, str]:
    """The agent's options from NAME=VALUE; the last one of a name counts."""
    options = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{word!r} is not an option of an agent: write `--option NAME=VALUE`.")
        options[name] = value
    return options


def parse_parts(text: str) -> list[float]:
    """Parts of the time limit from `0.5,0.9` or `50%,90%`; nothing for an empty text."""
    parts = []
    for word in filter(None, (one.strip() for one in text.split(","))):
        try:
            part = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
        except ValueError:
            part = -1.0
        if not 0 < part < 1:
            raise UsageError(f"{word!r} is not a part of the time limit: write 0.5 or 50%, several with commas.")
        parts.append(part)
    return sorted(set(parts))


def parse_names(text: str | None) -> list[str]:
    """Words between commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]
