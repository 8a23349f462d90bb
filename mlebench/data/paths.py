"""The data directory: what lies where.

    <data-dir>/<id>/raw/                       Kaggle's files, or made-up ones
    <data-dir>/<id>/download/                  a download from Kaggle that is under way
    <data-dir>/<id>/leaderboard.csv            scores fetched from Kaggle, with leaderboard.json beside
    <data-dir>/<id>/prepared/public/           what an agent sees (v1)
    <data-dir>/<id>/prepared/private/          the answers; never enters a sandbox
    <data-dir>/<id>/prepared/manifest.json     where it came from, every file's size and hash
    <data-dir>/<id>/prepared-v2/...            the same for the mended edition, where it differs

This is the layout of the published benchmark, so a directory made by it is found and adopted as it is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from mlebench.errors import NotPreparedError, UsageError
from mlebench.filenames import MANIFEST
from mlebench.pathnames import is_text, shown

if TYPE_CHECKING:
    from mlebench.competition import Competition, Edition


@dataclass(frozen=True)
class PreparedPaths:
    """One competition's folders in one edition."""

    home: Path
    """<data-dir>/<id>"""
    prepared: Path
    """<data-dir>/<id>/prepared or prepared-v2"""

    @property
    def raw(self) -> Path:
        """Raw files as downloaded or made."""
        return self.home / "raw"

    @property
    def download(self) -> Path:
        """What came from Kaggle so far: the zip or a part of it, its state, and the files unpacked from it."""
        return self.home / "download"

    @property
    def public(self) -> Path:
        """What an agent sees."""
        return self.prepared / "public"

    @property
    def private(self) -> Path:
        """The answers."""
        return self.prepared / "private"

    @property
    def manifest(self) -> Path:
        """Where this folder came from, and every file's size and hash."""
        return self.prepared / MANIFEST


@dataclass(frozen=True)
class DataDir:
    """The root under which every competition has its folder."""

    root: Path

    @classmethod
    def locate(cls, option: Path | None = None) -> DataDir:
        """The root, whether or not it exists; a UsageError where it cannot.

        `--data-dir`, else MLEBENCH_DATA_DIR (or MLE_BENCH_DATA_DIR), else the published benchmark's
        ~/.cache/mle-bench/data.
        """
        environment = os.environ.get("MLEBENCH_DATA_DIR") or os.environ.get("MLE_BENCH_DATA_DIR")
        given = option or (Path(environment) if environment else None)
        try:
            root = (given or platformdirs.user_cache_path("mle-bench") / "data").expanduser().absolute()
        except RuntimeError:  # HOME is not set and the system does not know this user, or no such user as in ~name
            raise UsageError(
                f"There is no home directory for {shown(given or '~/.cache/mle-bench/data')}: say where competition data lives "
                "with --data-dir (or MLEBENCH_DATA_DIR), or set HOME."
            ) from None
        if not is_text(str(root)):
            raise UsageError(f"The data directory {shown(root)} has a name that is not UTF-8; use another one.")
        nearest = root
        while not os.path.lexists(nearest):
            nearest = nearest.parent
        if os.path.exists(nearest) and not os.path.isdir(nearest):  # noqa: PTH110, PTH112 (these never raise)
            raise UsageError(f"The data directory {root} cannot be used, since {nearest} is no folder; name another.")
        return cls(root)

    def paths(self, competition_id: str, edition: Edition = "v1") -> PreparedPaths:
        """Folders of one competition, whether or not they exist."""
        home = self.root / competition_id
        return PreparedPaths(home, home / ("prepared" if edition == "v1" else f"prepared-{edition}"))

    def require_prepared(self, competition: Competition, edition: Edition = "v1") -> PreparedPaths:
        """Folders of a competition whose data agents can use: public files and answers are there."""
        paths = self.paths(competition.id, edition)
        if not (paths.public.is_dir() and paths.private.is_dir()):
            raise NotPreparedError(
                f"{competition.id} is not prepared in {self.root}; run `mlebench prepare {competition.id}` first."
            )
        return paths
