"""Reading TOML files into models: the one place where a complaint gets the name of the file and the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mlebench.errors import CompetitionError, UsageError


class TomlFacts(BaseModel):
    """Base of everything read from a TOML file: unknown keys are errors, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


_Model = TypeVar("_Model", bound=TomlFacts)


def load_facts(path: Path, model: type[_Model], error: type[UsageError] = CompetitionError) -> _Model:
    """Read a TOML file into its model, or raise `error` with one sentence."""
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError:
        raise error(f"{path} is missing.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise error(f"{path} is not valid TOML: {problem}.") from None
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(whole file)"
        complaint = "there is no such key" if first["type"] == "extra_forbidden" else first["msg"]
        more = f" ({problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        raise error(f"{path}, key {key}: {complaint}{more}.") from None
