"""Preparing many competitions: downloads beside preparing, isolated from each other's failures, stoppable."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlebench.competition import Competition, Edition, load_competition
from mlebench.data.kaggle.watch import Stop, Watch
from mlebench.data.paths import DataDir
from mlebench.data.prepare import PrepareResult, locked, prepare_competition
from mlebench.data.sources import SourceRequest, needs_download
from mlebench.errors import MlebenchError


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
    stop = Stop()
    loaders = ThreadPoolExecutor(downloads.at_once, thread_name_prefix="download")
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
                    yield _prepare(one.folder, data_dir, options)
                else:
                    working[workers.submit(_prepare, one.folder, data_dir, options)] = one
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
                        yield Failure(one.id, "the preparing process was killed (out of memory?); run it again.")
    finally:
        stop.set()
        loaders.shutdown(wait=True, cancel_futures=True)
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
        with locked(paths.home, lambda: watch.note(competition.id, "another process prepares it; waiting")):
            if will_load(competition, data_dir, options):
                accept = options.request.accept_new_source
                obtain(competition, paths, accept_new=accept, watch=watch, stop=stop)
        return None
    except MlebenchError as error:
        return Failure(competition.id, str(error), error.exit_code)
    except OSError as error:
        return Failure(competition.id, f"{error.strerror or error} ({error.filename})")


def _pool(processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_ignore_interrupt)


def _prepare(folder: Path, data_dir: DataDir, options: PrepareOptions) -> PrepareResult | Failure:
    try:
        return prepare_competition(
            load_competition(folder),
            data_dir,
            options.request,
            edition=options.edition,
            keep_raw=options.keep_raw,
            force=options.force,
            official_description=options.official_description,
        )
    except MlebenchError as error:
        return Failure(folder.name, str(error), error.exit_code)
    except OSError as error:
        return Failure(folder.name, f"{error.strerror or error} ({error.filename})")


def _ignore_interrupt() -> None:
    """Ctrl-C reaches the whole process group; only the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(1)))
