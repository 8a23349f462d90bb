"""A contest's own pages (description, evaluation, data description, ...) beside ours, in public/official/.

They are Kaggle's texts: written to the user's data directory only, never part of this project. Pages come as the
contest's hosts wrote them, Markdown or HTML.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from typing import Any

from mlebench.data.kaggle.client import Kaggle, Tell, hasty
from mlebench.data.kaggle.errors import KaggleError
from mlebench.data.manifest import FileEntry, Manifest
from mlebench.data.paths import PreparedPaths
from mlebench.errors import DataError

FOLDER = "official"
_SUFFIX = {"text/html": ".html", "text/markdown": ".md", "text/plain": ".txt"}


_for_all: list[KaggleError] = []
"""The problem that every competition would have, once one had it: many are asked for one after the other."""


def add_official_pages(
    competition: str, paths: PreparedPaths, manifest: Manifest, *, tell: Tell = lambda _: None
) -> Manifest:
    """Fetch the contest's pages into public/official/ and enter them into the manifest; nothing is done twice."""
    if any(name.startswith(f"public/{FOLDER}/") for name in manifest.files):
        return manifest
    pages = _fetch(competition, tell)
    target, aside = paths.public / FOLDER, paths.home / f".{FOLDER}.part"
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    try:
        aside.mkdir()
        for name, content in pages.items():
            (aside / name).write_bytes(content)
            (aside / name).chmod(0o644)
            manifest.files[f"public/{FOLDER}/{name}"] = FileEntry(
                size=len(content), sha256=hashlib.sha256(content).hexdigest()
            )
        aside.chmod(0o755)
        aside.rename(target)
        manifest.write(paths.manifest)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)  # in the manifest they are not
        raise DataError(
            f"The pages of {competition} could not be written to {paths.public} ({error.strerror or error}): its data is "
            "prepared without them; make room, then run the same command again."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


def forget() -> None:
    """A new command may find the network up again."""
    _for_all.clear()


def _fetch(competition: str, tell: Tell) -> dict[str, bytes]:
    """File name -> content of every published page."""
    from kagglesdk.competitions.types.competition_api_service import ApiListCompetitionPagesRequest

    if _for_all:
        raise _for_all[0]
    request = ApiListCompetitionPagesRequest()
    request.competition_name = competition
    try:
        kaggle = Kaggle(patience=hasty(), tell=tell)
        answer: Any = kaggle.call(competition, lambda api: api.list_competition_pages(request))
    except KaggleError as error:
        if error.for_all:
            _for_all.append(error)
        raise
    pages: dict[str, bytes] = {}
    for page in answer.pages or []:
        if not (isinstance(page.content, str) and page.content):
            continue
        kind = page.mime_type if isinstance(page.mime_type, str) else ""
        stem, suffix = _stem(page.name), _SUFFIX.get(kind or "text/html", ".html")
        name, count = stem + suffix, 1
        while name in pages:  # titles that differ only in letters that file names do without
            count += 1
            name = f"{stem}-{count}{suffix}"
        pages[name] = page.content.encode(errors="replace")
    if not pages:
        raise DataError(
            f"Kaggle gives no pages of {competition}: read https://www.kaggle.com/competitions/{competition}/overview "
            "in a browser; our own description.md is in place."
        )
    return pages


def _stem(title: object) -> str:
    """The page's file name without its suffix."""
    return re.sub(r"[^a-z0-9]+", "-", str(title or "").lower())[:100].strip("-") or "page"
