"""Scaffolding a competition of one's own: a small complete one, ready to be edited."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from mlebench.content import content_dir
from mlebench.errors import UsageError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def scaffold_competition(competition_id: str, folder: Path) -> Path:
    """Write `folder/<id>/` from the templates in competitions/_template; return it.

    Never overwrites, and never adds to the built-in competitions: an update of mlebench would lose what lies there.
    """
    if not _ID.fullmatch(competition_id):
        raise UsageError(f"{competition_id!r} is no id: use letters, digits, '.', '_' and '-', starting with a letter.")
    target = folder / competition_id
    if target.resolve().is_relative_to(content_dir("competitions").resolve()):
        raise UsageError(f"{folder} holds the competitions that ship with mlebench; choose another --dir for your own.")
    if target.exists():
        raise UsageError(f"{target} exists already; choose another id or --dir.")
    target.mkdir(parents=True)
    for template in sorted((content_dir("competitions") / "_template").glob("*.in")):
        text = Template(template.read_text(encoding="utf-8")).substitute(id=competition_id)
        (target / template.stem).write_text(text, encoding="utf-8")
    return target
