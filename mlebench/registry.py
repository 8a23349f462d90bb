"""Finds competitions and splits: the built-in folder, and the user's own folders.

User folders come from `--competitions-dir` and `MLEBENCH_COMPETITIONS_DIR` (several, separated by the
platform's path separator); a user's competition of the same id wins over the built-in one.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlebench.content import content_dir
from mlebench.errors import UsageError

if TYPE_CHECKING:
    from mlebench.competition import Competition

SPLITS = ("all", "lite", "low", "medium", "high", "dev", "practice")
"""Named splits: all (75), lite = low (22), medium (38), high (15), dev (7), practice; or a text file of ids."""


@dataclass(frozen=True)
class Entry:
    """The few facts that lists and splits need, read without building the whole model (that takes longer)."""

    id: str
    title: str
    group: str
    complexity: str | None
    category: str
    metric: str
    higher_is_better: bool


class Registry:
    """All competitions that can be named in this process."""

    def __init__(self, extra_dirs: Iterable[Path] = ()) -> None:
        environment = os.environ.get("MLEBENCH_COMPETITIONS_DIR", "")
        user = [*extra_dirs, *(Path(part) for part in environment.split(os.pathsep) if part)]
        for folder in user:
            if not folder.is_dir():
                raise UsageError(f"The competitions folder {folder} does not exist.")
        self.dirs = [content_dir("competitions"), *(folder.resolve() for folder in user)]

    @cached_property
    def _folders(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for root in self.dirs:
            for path in sorted(root.glob("*/competition.toml")):
                found[path.parent.name] = path.parent
        return dict(sorted(found.items(), key=lambda item: item[0].lower()))

    def ids(self) -> list[str]:
        """Ids of every competition, sorted without regard to case."""
        return list(self._folders)

    def get(self, competition_id: str) -> Competition:
        """Open one competition; an unknown id is a usage error that names the nearest ones."""
        from mlebench.competition import load_competition

        folder = self._folders.get(competition_id)
        if folder is None:
            near = get_close_matches(competition_id, self.ids(), n=3)
            hint = (
                f" Did you mean {' or '.join(near)}?"
                if near
                else " `mlebench list` shows all; your own need --competitions-dir."
            )
            raise UsageError(f"There is no competition {competition_id!r}.{hint}")
        return load_competition(folder)

    def catalog(self) -> list[Entry]:
        """The entry of every competition; a malformed one raises what opening it raises."""
        return [self._entry(competition_id) for competition_id in self.ids()]

    def issues(self, competition_id: str) -> dict[str, int]:
        """How many known issues of each kind a competition has."""
        return dict(Counter(issue.kind for issue in self.get(competition_id).facts.issues))

    def _entry(self, competition_id: str) -> Entry:
        path = self._folders[competition_id] / "competition.toml"
        try:
            text = path.read_text(encoding="utf-8")
            try:
                # The issues stand last by custom and are most of the file; a list does without reading them.
                return _entry_of(tomllib.loads(text.partition("\n[[issues]]")[0]))
            except KeyError:
                return _entry_of(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError):
            self.get(competition_id)  # names the file and the key
            raise

    def all(self) -> list[Competition]:
        """Every competition, opened."""
        return [self.get(competition_id) for competition_id in self.ids()]

    def split(self, name: str) -> list[str]:
        """Ids of a named split, or of a text file with one id per line (blank lines and # comments skipped)."""
        if name in SPLITS:
            return [entry.id for entry in self.catalog() if in_split(entry, name)]
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"There is no split {name!r}: use {', '.join(SPLITS)}, or a text file of ids.")
        lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
        return [self.get(line).id for line in dict.fromkeys(lines) if line]

    def select(self, ids: Sequence[str] = (), split: str | None = None) -> list[Competition]:
        """Competitions named one by one and by split, each once, in the order given."""
        chosen = [*ids, *(self.split(split) if split else [])]
        return [self.get(competition_id) for competition_id in dict.fromkeys(chosen)]


def _entry_of(facts: dict[str, Any]) -> Entry:
    return Entry(
        id=facts["id"],
        title=facts["title"],
        group=facts["group"],
        complexity=facts.get("complexity"),
        category=facts["category"],
        metric=facts["metric"]["title"],
        higher_is_better=facts["metric"]["higher_is_better"],
    )


def in_split(entry: Entry, name: str) -> bool:
    """Whether a competition belongs to the named split."""
    match name:
        case "all":
            return entry.group == "benchmark"
        case "lite":
            return entry.complexity == "low"
        case "dev":
            return entry.group == "development"
        case "practice":
            return entry.group == "practice"
        case _:
            return entry.complexity == name


def __getattr__(name: str) -> object:
    """`registry`, as integrations of the published benchmark import it (made when asked for)."""
    if name == "registry":
        from mlebench.compat import PublishedRegistry

        return PublishedRegistry()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
