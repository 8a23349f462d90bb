"""Where a competition's raw files come from: made up, bundled, Kaggle, a local folder or zip, what is already there."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlebench.competition import Competition
from mlebench.data.archives import extract_zip
from mlebench.data.manifest import digest
from mlebench.data.paths import PreparedPaths
from mlebench.data.raw_files import lead_to
from mlebench.data.walking import walk
from mlebench.errors import DataError, UsageError
from mlebench.pathnames import is_text, shown

NAMED_SOURCES = ("kaggle", "synthetic", "bundled")
_LONGEST_TOLD = 200
"""Characters of a name that a message repeats."""


@dataclass(frozen=True)
class RawData:
    """Raw files ready to be read by a recipe."""

    folder: Path
    source: str
    """synthetic, bundled, kaggle, folder, or raw (already in the data directory)."""
    detail: str
    real: bool
    """Whether the published checksums may be compared with what is made of it."""
    zip_md5: Callable[[], str] | None = None
    """Tells the md5 of the zip they came in, where there is one."""
    archive: Path | None = None
    """The zip that the folder leads to, where nothing was unpacked."""
    new_source: str = ""
    """Why the data counts as another release than the published one, which the user accepted; empty otherwise."""


@dataclass(frozen=True)
class SourceRequest:
    """What the user asked for with --source, --seed and --scale; `name` None means: the best there is."""

    name: str | None = None
    single: bool = True
    """Only one competition is asked for, so that a folder may hold its files directly."""
    seed: int = 0
    scale: float = 1.0
    accept_new_source: bool = False
    """Use Kaggle's zip although it is not the one whose md5 is published."""


def needs_download(request: SourceRequest, competition: Competition, paths: PreparedPaths) -> bool:
    """Whether Kaggle would have to be asked for raw files; raises what `resolve_source` raises."""
    if resolve_source(request, competition, paths) != "kaggle":
        return False
    from mlebench.data.kaggle.fetch import is_here

    return not is_here(paths)


def fetch_raw(
    request: SourceRequest, competition: Competition, paths: PreparedPaths, staging: Path, *, keep_raw: bool = False
) -> RawData:
    """Make the raw files available; a user's folder is read in place.

    Anything written goes below `staging`, but what comes from Kaggle below the download folder, where it outlives
    a run that is killed.
    """
    where = resolve_source(request, competition, paths)
    if where == "kaggle":
        return _from_kaggle(request, competition, paths, staging, keep_raw)
    if where in ("synthetic", "bundled"):
        folder = staging / "raw"
        folder.mkdir()
        competition.make_raw(folder, seed=request.seed, scale=request.scale)
        detail = f"seed {request.seed}, scale {request.scale:g}" if where == "synthetic" else "ships with scikit-learn"
        return RawData(folder, where, detail, real=False)
    assert isinstance(where, Path)
    if where.is_file():
        md5, folder = _Md5(where), staging / "raw"
        packed = competition.facts.data.packed and not keep_raw
        if packed:
            lead_to(where, folder)
        else:
            extract_zip(where, folder)
        archive = where if packed else None
        return RawData(folder, "folder", str(where), real=True, zip_md5=md5.result, archive=archive)
    if not any(where.iterdir()):
        raise DataError(f"{where} is empty; it should hold the raw files of {competition.id}.")
    _require_files(where)
    return RawData(where, "raw" if where == paths.raw else "folder", str(where), real=True)


def _require_files(folder: Path) -> None:
    """DataError where a folder of raw files holds what no recipe can use: what is found at once costs no work."""

    def refuse(name: str, why: str) -> None:
        path = folder / name
        if path.is_symlink() and (
            path.is_dir() or not path.exists()
        ):  # one to a folder is fine, a broken one is no file
            return
        raise DataError(f"{shown(path)} {why}; mend or remove it.")

    for _ in walk(folder, refuse, follow=True):
        pass


def _from_kaggle(
    request: SourceRequest, competition: Competition, paths: PreparedPaths, staging: Path, keep_raw: bool
) -> RawData:
    from mlebench.data.kaggle.download import zip_path
    from mlebench.data.kaggle.fetch import about_zip, obtain, unpack

    state = obtain(competition, paths, accept_new=request.accept_new_source)
    archive: Path | None = None
    if competition.facts.data.packed and not keep_raw and not state.extracted:
        folder = staging / "raw"
        archive = zip_path(paths.download, competition.id)
        try:
            lead_to(archive, folder)
        except DataError as error:
            raise about_zip(competition.id, paths, error) from error
    else:
        folder = unpack(competition.id, paths, state, keep_zip=keep_raw)
    return RawData(
        folder,
        "kaggle",
        f"https://www.kaggle.com/competitions/{competition.id}",
        real=True,
        zip_md5=lambda: state.md5 or "",
        new_source=state.accepted,
        archive=archive,
    )


class _Md5(threading.Thread):
    """The md5 of a file, taken beside other work; a process that ends does not wait for it."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._outcome: str | Exception = ""
        self.start()

    def run(self) -> None:
        try:
            self._outcome = digest(self._path, "md5")
        except OSError as error:
            self._outcome = error

    def result(self) -> str:
        """The md5, once it is known."""
        self.join()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def resolve_source(request: SourceRequest, competition: Competition, paths: PreparedPaths) -> str | Path:
    """kaggle, the name of a generator, or the folder or zip that holds the raw files; UsageError when it cannot be."""
    offered = competition.facts.data.sources
    name = request.name
    if name is None:
        if "bundled" in offered:
            return "bundled"
        if paths.raw.is_dir() and not _is_kaggles(paths):
            return paths.raw
        if "kaggle" in offered and (_is_kaggles(paths) or _can_sign_in()):
            return "kaggle"
        raise UsageError(
            f"{competition.id} has no raw data in {paths.home} and there are no Kaggle credentials to download it: "
            "give --source FOLDER (or zip) with Kaggle's files, --source synthetic for made-up data, or put a token from "
            "https://www.kaggle.com/settings/api into ~/.kaggle/access_token."
        )
    if name in NAMED_SOURCES:
        if name in offered:
            return name
        # Bundled real data is as offline as made-up data, so a practice competition takes part in both.
        if name == "synthetic" and "bundled" in offered:
            return "bundled"
        raise UsageError(f"{competition.id} has no {name} data; it offers {', '.join(offered)}.")
    if not name:
        raise UsageError("--source is empty; give a folder or zip, or one of " + ", ".join(NAMED_SOURCES) + ".")
    if not is_text(name):
        raise UsageError(f"The source {shown(name)} has a name that is not UTF-8; rename it.")
    given = Path(name).expanduser().absolute()
    if _kind(given) is None:
        told = name if len(name) <= _LONGEST_TOLD else f"{name[:_LONGEST_TOLD]}..."
        raise UsageError(f"The source {told!r} is neither a file nor a folder, nor one of {', '.join(NAMED_SOURCES)}.")
    if _kind(given) == "file":
        if request.single:
            return given
        raise UsageError(
            f"{name} is one file but several competitions are asked for; give a folder with <id>.zip files."
        )
    candidates = [given / competition.id / "raw", given / f"{competition.id}.zip"]
    candidates += [given / competition.id / f"{competition.id}.zip", given / competition.id]
    for candidate in candidates:
        if _kind(candidate) is not None:
            return candidate
    if request.single:
        return given
    raise UsageError(f"{name} holds neither {competition.id}/ nor {competition.id}.zip.")


def _kind(path: Path) -> str | None:
    """file, folder, or none of them (a device or FIFO, too); UsageError on one that this user may not read."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        raise UsageError(
            f"The source {path} may not be read; change its permissions, or run as another user."
        ) from None
    except (OSError, ValueError):  # absent, below a file, longer than a path may be, with a NUL
        return None
    kind = "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else None
    if kind is not None and not os.access(path, os.R_OK | (os.X_OK if kind == "folder" else 0)):
        raise UsageError(f"The source {path} may not be read; change its permissions, or run as another user.")
    return kind


def _is_kaggles(paths: PreparedPaths) -> bool:
    """Whether what is here was downloaded by an earlier run (then raw/, too, is known to be Kaggle's)."""
    if not paths.download.is_dir():
        return False
    from mlebench.data.kaggle.fetch import is_here

    return is_here(paths)


def _can_sign_in() -> bool:
    from mlebench.data.kaggle import find_credentials

    return find_credentials() is not None
