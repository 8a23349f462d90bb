"""A contest's own pages (description, evaluation, data description, ...) beside ours, in public/official/.

They are Kaggle's texts: written to the user's data directory only, never part of this project. Pages come as the
contest's hosts wrote them, Markdown or HTML.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from typing import Any

from mlebench.data.kaggle.client import Kaggle
from mlebench.data.manifest import FileEntry, Manifest
from mlebench.data.paths import PreparedPaths
from mlebench.errors import DataError

FOLDER = "official"
_SUFFIX = {"text/html": ".html", "text/markdown": ".md", "text/plain": ".txt"}


def add_official_pages(competition: str, paths: PreparedPaths, manifest: Manifest) -> Manifest:
    """Fetch the contest's pages into public/official/ and enter them into the manifest; nothing is done twice."""
    if any(name.startswith(f"public/{FOLDER}/") for name in manifest.files):
        return manifest
    pages = _fetch(competition)
    target, aside = paths.public / FOLDER, paths.home / f".{FOLDER}.part"
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
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
    return manifest


def _fetch(competition: str) -> dict[str, bytes]:
    """File name -> content of every published page."""
    from kagglesdk.competitions.types.competition_api_service import ApiListCompetitionPagesRequest

    request = ApiListCompetitionPagesRequest()
    request.competition_name = competition
    answer: Any = Kaggle().call(competition, lambda api: api.list_competition_pages(request))
    pages = {}
    for page in answer.pages or []:
        stem = re.sub(r"[^a-z0-9]+", "-", page.name.lower()).strip("-") or "page"
        name = stem + _SUFFIX.get(page.mime_type or "text/html", ".html")
        if page.content and name not in pages:
            pages[name] = page.content.encode()
    if not pages:
        raise DataError(
            f"Kaggle gives no pages of {competition}: read https://www.kaggle.com/competitions/{competition}/overview "
            "in a browser; our own description.md is in place."
        )
    return pages
