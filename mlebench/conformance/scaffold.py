"""Scaffolding a competition of one's own: a small complete one, ready to be edited."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from mlebench.content import content_dir
from mlebench.errors import UsageError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def scaffold_competition(competition_id: str, folder: Path) -> Path:
    """Write `folder/<id>/` from the templates in competitions/_template; return it. Never overwrites."""
    if not _ID.fullmatch(competition_id):
        raise UsageError(f"{competition_id!r} is no id: use letters, digits, '.', '_' and '-', starting with a letter.")
    target = folder / competition_id
    if target.exists():
        raise UsageError(f"{target} exists already; choose another id or --dir.")
    target.mkdir(parents=True)
    for template in sorted((content_dir("competitions") / "_template").glob("*.in")):
        text = Template(template.read_text(encoding="utf-8")).substitute(id=competition_id)
        (target / template.stem).write_text(text, encoding="utf-8")
    return target
