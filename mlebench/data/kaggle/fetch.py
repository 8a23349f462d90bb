"""From nothing (or what an earlier try left) to a competition's raw files: download, compare, unpack.

Each step is remembered in download/state.json, so that whatever is killed, nothing is done twice:
download/<id>.zip.part -> download/<id>.zip -> download/raw/ (then the zip goes, unless it is to be kept).
"""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

from mlebench.competition import Competition
from mlebench.data.archive_rules import DAMAGE, READ_HERE
from mlebench.data.archives import extract_zip, open_zip
from mlebench.data.kaggle.client import Kaggle
from mlebench.data.kaggle.download import State, download_zip, new_release, zip_path
from mlebench.data.kaggle.errors import KaggleError
from mlebench.data.kaggle.watch import Stop, Watch
from mlebench.data.manifest import digest
from mlebench.data.paths import PreparedPaths
from mlebench.errors import DataError, MlebenchError


def obtain(
    competition: Competition,
    paths: PreparedPaths,
    *,
    accept_new: bool = False,
    watch: Watch | None = None,
    stop: Stop | None = None,
) -> State:
    """Bring the competition's zip into its download folder and compare it with the published md5.

    Returns at once when that is done already. A zip that arrived damaged is fetched once more. The caller holds the
    competition's lock.
    """
    watch = watch or Watch()
    expected = competition.checksums.zip if competition.checksums else ""
    for last in (False, True):
        _forget_what_is_gone(paths)
        state = download_zip(
            competition.id, paths.download, expected_md5=expected, accept_new=accept_new, watch=watch, stop=stop
        )
        if not expected or state.md5 == expected or state.accepted:
            return state
        damaged = _damaged_member(zip_path(paths.download, competition.id))
        if damaged is None:
            break
        discard(paths)
        if last:
            raise DataError(
                f"{competition.id}.zip arrived damaged twice (in {damaged}): something between Kaggle and this machine "
                "changes bytes; try another network, then run the same command again."
            )
        watch.note(competition.id, f"the zip arrived damaged (in {damaged}), downloading it once more")
    message = new_release(competition.id, expected, state.md5 or "", state.total, _differences(competition.id, paths))
    if not accept_new:
        raise DataError(message)
    state.accepted = f"Kaggle's zip has md5 {state.md5} instead of the published {expected}"
    state.write(paths.download)
    return state


def unpack(competition: str, paths: PreparedPaths, state: State, *, keep_zip: bool = False) -> Path:
    """The folder with the raw files of a zip that `obtain` brought; the zip is removed unless it is to be kept."""
    folder, archive = paths.download / "raw", zip_path(paths.download, competition)
    if not state.extracted:
        aside = paths.download / "raw.part"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        aside.mkdir()
        try:
            _require_members(archive)
            extract_zip(archive, aside)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise DataError(
                f"{archive} could not be unpacked ({error.strerror or error}); the zip stays, so make room and run the "
                "same command again."
            ) from error
        except DataError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise about_zip(competition, paths, error) from error
        aside.rename(folder)
        if not keep_zip:
            os.sync()  # from here on the unpacked files are all there is, even after a power cut
        state.extracted = True
        state.write(paths.download)
    if not folder.is_dir():
        return paths.raw  # kept by an earlier run, as its zip may be
    if not keep_zip:
        archive.unlink(missing_ok=True)
    return folder


def discard(paths: PreparedPaths) -> None:
    """Remove everything that was downloaded, so that the next try starts from nothing."""
    shutil.rmtree(paths.download, ignore_errors=True)


def discard_if_damaged(competition: str, paths: PreparedPaths, published: str = "") -> DataError | None:
    """Remove a zip that is damaged, so that it is fetched again, and say so; None where it is whole.

    Looked at byte by byte: what the state says of a zip that lay here for long may hold no more. One whose md5 is the
    `published` one is whole.
    """
    archive = zip_path(paths.download, competition)
    if not archive.is_file() or (md5 := digest(archive, "md5")) == published:
        return None
    return _discard_if_damaged(archive, md5, paths)


def about_zip(competition: str, paths: PreparedPaths, error: MlebenchError, published: str = "") -> MlebenchError:
    """What to say where Kaggle's zip could not be used because of `error`, with a way out; a damaged one is removed."""
    archive = zip_path(paths.download, competition)
    if not archive.is_file() or (md5 := digest(archive, "md5")) == published:
        return error
    way_out = f"{error} To have it fetched anew, remove {archive} and run the same command again."
    return _discard_if_damaged(archive, md5, paths) or DataError(way_out)


def _discard_if_damaged(archive: Path, md5: str, paths: PreparedPaths) -> DataError | None:
    state = State.read(paths.download)
    changed = state is not None and state.md5 is not None and state.md5 != md5
    damaged = "it changed since it came" if changed else _damaged_member(archive)
    if damaged is None:
        return None
    discard(paths)
    return DataError(
        f"{archive} was damaged ({damaged}) and has been removed: run the same command again to fetch it anew."
    )


def _require_members(archive: Path) -> None:
    with open_zip(archive) as opened:
        if all(info.is_dir() for info in opened.infolist()):
            raise DataError(f"{archive} holds no files.")


def is_here(paths: PreparedPaths) -> bool:
    """Whether nothing needs to be downloaded any more."""
    _forget_what_is_gone(paths)
    state = State.read(paths.download)
    return state is not None and state.md5 is not None


def _forget_what_is_gone(paths: PreparedPaths) -> None:
    """A state that speaks of files which somebody removed is brought back to the truth."""
    state = State.read(paths.download)
    if state is None or state.md5 is None:
        return
    unpacked = (paths.download / "raw").is_dir() or paths.raw.is_dir()
    archive = zip_path(paths.download, state.competition)
    if state.extracted and not unpacked:
        state.extracted = False
        state.write(paths.download)
    if not state.extracted and not (archive.is_file() and archive.stat().st_size == state.total):
        (paths.download / "state.json").unlink()


def _damaged_member(archive: Path) -> str | None:
    """The first member that fails its own check sum, or the archive itself; none when all is whole."""
    try:
        with open_zip(archive) as opened:
            if all(info.is_dir() for info in opened.infolist()):
                return "its directory of members, which is empty"
            if any(info.compress_type not in READ_HERE for info in opened.infolist()):
                return None  # no damage: whoever reads it refuses it, and testing it might unpack a bomb
            return opened.testzip()
    except OSError as error:
        if error.errno is not None:  # the disk's complaint
            raise DataError(f"{archive} cannot be read: {error.strerror}.") from error
        return "its directory of members"
    except (DataError, *DAMAGE, zipfile.LargeZipFile):
        return "its directory of members"


def _differences(competition: str, paths: PreparedPaths) -> list[str]:
    """What the zip's members say beside the list that Kaggle shows: sentences, as far as Kaggle answers."""
    try:
        listed, newest = _listing(competition)
    except KaggleError:
        return []
    if not listed:
        return []
    with open_zip(zip_path(paths.download, competition)) as opened:
        here = {info.filename: info.file_size for info in opened.infolist() if not info.is_dir()}
    for name, size in listed.items():
        if name not in here:
            return [f"Kaggle lists {name}, which the zip lacks."]
        if here[name] != size:
            return [f"{name} has {here[name]:,} bytes in the zip, Kaggle lists {size:,}."]
    return [f"The zip is whole and holds what Kaggle lists ({len(listed):,} files looked at, the newest {newest})."]


def _listing(competition: str, pages: int = 25) -> tuple[dict[str, int], str]:
    """Name -> size of the files that Kaggle lists (the first pages of them), and the newest one with its date."""
    from kagglesdk.competitions.types.competition_api_service import ApiListDataFilesRequest

    kaggle = Kaggle()
    request = ApiListDataFilesRequest()
    request.competition_name = competition
    request.page_size = 200
    sizes: dict[str, int] = {}
    dates = []
    for _ in range(pages):
        answer = kaggle.call(competition, lambda api: api.list_data_files(request))
        for file in answer.files or []:
            sizes[file.name] = file.total_bytes
            if file.creation_date:
                dates.append((file.creation_date, file.name))
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    date, name = max(dates) if dates else (None, "unknown")
    return sizes, f"{name} of {date:%Y-%m-%d}" if date else name
