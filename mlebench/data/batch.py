"""Preparing many competitions: downloads beside preparing, isolated from each other's failures, stoppable."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mlebench.competition import Competition, Edition, load_competition
from mlebench.data.kaggle import pages
from mlebench.data.kaggle.watch import Stop, Watch
from mlebench.data.kaggle.workers import Workers
from mlebench.data.paths import DataDir
from mlebench.data.prepare import PrepareResult, locked, prepare_competition
from mlebench.data.sources import SourceRequest, needs_download
from mlebench.errors import MlebenchError

log = logging.getLogger(__name__)
STOP_SECONDS = 0.7
"""How long downloads that are told to stop may take to write down how far they got."""


@dataclass(frozen=True)
class Failure:
    """One competition could not be prepared; the others went on."""

    competition: str
    message: str
    exit_code: int = 1


@dataclass(frozen=True)
class PrepareOptions:
    """What applies to every competition of a batch."""

    request: SourceRequest
    edition: Edition = "v1"
    keep_raw: bool | None = None
    force: bool = False
    official_description: bool = False


@dataclass(frozen=True)
class Downloads:
    """How a batch's zips come from Kaggle."""

    at_once: int = 2
    """More rarely helps: one connection usually fills a line, and Kaggle limits requests."""
    watch: Watch = field(default_factory=Watch)


def prepare_many(
    competitions: Sequence[Competition],
    data_dir: DataDir,
    options: PrepareOptions,
    jobs: int = 1,
    downloads: Downloads | None = None,
) -> Iterator[PrepareResult | Failure]:
    """Prepare each competition and yield what became of it, as they finish.

    Downloads run in threads beside the preparing, so that a finished zip is prepared while the next ones come. At
    most `jobs` recipes run at once, which is what bounds memory: a download holds one block, unpacking one block a
    thread, a recipe whatever its tables need.
    """
    downloads = downloads or Downloads()
    pages.forget()
    stop = Stop()
    loaders = Workers(downloads.at_once, "download")
    workers = _pool(min(jobs, len(competitions))) if jobs > 1 and len(competitions) > 1 else None
    loading: dict[Future[Failure | None], Competition] = {}
    working: dict[Future[PrepareResult | Failure], Competition] = {}
    try:
        ready = []
        for one in competitions:
            if will_load(one, data_dir, options):
                loading[loaders.submit(_load, one, data_dir, options, downloads.watch, stop)] = one
            else:
                ready.append(one)
        while ready or loading or working:
            for one in ready:
                if workers is None:
                    yield _prepare(one.folder, data_dir, options, partial(downloads.watch.note, one.id))
                    continue
                try:
                    working[workers.submit(_prepare, one.folder, data_dir, options)] = one
                except BrokenProcessPool:
                    yield _killed(one)
            ready = []
            both: list[Future[Any]] = [*loading, *working]
            done, _ = wait(both, return_when=FIRST_COMPLETED)
            for future in done:
                if future in loading:
                    one = loading.pop(future)
                    failure = future.result()
                    if failure is None:
                        ready.append(one)
                    else:
                        yield failure
                else:
                    one = working.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        yield _killed(one)
    finally:
        stop.set()
        loaders.leave(STOP_SECONDS)  # what sits in a silent connection any longer loses nothing when it is killed
        if workers is not None:
            processes = list((workers._processes or {}).values())  # shutting down forgets them
            workers.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()


def will_load(competition: Competition, data_dir: DataDir, options: PrepareOptions) -> bool:
    """Whether preparing this competition begins with a download from Kaggle."""
    paths = data_dir.paths(competition.id, options.edition)
    if paths.prepared.exists() and not options.force:
        return False
    try:
        return needs_download(options.request, competition, paths)
    except MlebenchError:
        return False  # preparing it says why


def _load(
    competition: Competition, data_dir: DataDir, options: PrepareOptions, watch: Watch, stop: Stop
) -> Failure | None:
    """Bring one zip, under the competition's lock."""
    from mlebench.data.kaggle.fetch import obtain

    paths = data_dir.paths(competition.id, options.edition)
    try:
        with locked(paths.home, partial(watch.note, competition.id), stop):
            if will_load(competition, data_dir, options):
                accept = options.request.accept_new_source
                obtain(competition, paths, accept_new=accept, watch=watch, stop=stop)
        return None
    except Exception as error:
        return _failure(competition.id, error)


def _pool(processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_ignore_interrupt)


def _prepare(
    folder: Path, data_dir: DataDir, options: PrepareOptions, tell: Callable[[str], None] | None = None
) -> PrepareResult | Failure:
    """`tell` is what hears of waits; none in a worker process, whose words go to the terminal as they are."""
    try:
        return prepare_competition(
            load_competition(folder),
            data_dir,
            options.request,
            edition=options.edition,
            keep_raw=options.keep_raw,
            force=options.force,
            official_description=options.official_description,
            tell=tell or partial(_to_stderr, folder.name),
        )
    except Exception as error:
        return _failure(folder.name, error)


def _failure(competition: str, error: Exception) -> Failure:
    """One competition's failure, whatever it was: the others have nothing to do with it."""
    if isinstance(error, MlebenchError):
        return Failure(competition, str(error), error.exit_code)
    if isinstance(error, MemoryError):
        return Failure(competition, "there was not enough memory: use fewer --jobs, or a machine with more of it.")
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return Failure(competition, f"{error.strerror or error}{where}.")
    log.debug("%s could not be prepared", competition, exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    place = next((one for one in reversed(frames) if "mlebench" in one.filename), frames[-1])
    # The text of the error is left out: it may hold anything that was sent or read.
    where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    return Failure(competition, f"a bug of mlebench's ({where}): please report it; nothing half-made was left.")


def _killed(competition: Competition) -> Failure:
    return Failure(competition.id, "the preparing process was killed (out of memory?); run it again.")


def _to_stderr(competition: str, text: str) -> None:
    print(f"{competition}: {text}", file=sys.stderr, flush=True)


def _ignore_interrupt() -> None:
    """Ctrl-C reaches the whole process group; only the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(1)))
