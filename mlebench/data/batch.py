"""Preparing many competitions: parallel, isolated from each other's failures, stoppable."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from mlebench.competition import Competition, Edition, load_competition
from mlebench.data.paths import DataDir
from mlebench.data.prepare import PrepareResult, prepare_competition
from mlebench.data.sources import SourceRequest
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
    keep_raw: bool = False
    force: bool = False


def prepare_many(
    competitions: Sequence[Competition], data_dir: DataDir, options: PrepareOptions, jobs: int = 1
) -> Iterator[PrepareResult | Failure]:
    """Prepare each competition and yield what became of it, as they finish."""
    if jobs <= 1 or len(competitions) == 1:
        for competition in competitions:
            yield _prepare(competition.folder, data_dir, options)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(competitions)), mp_context=context, initializer=_ignore_interrupt)
    try:
        submit: Callable[[Competition], Future[PrepareResult | Failure]] = lambda c: pool.submit(  # noqa: E731
            _prepare, c.folder, data_dir, options
        )
        futures = {submit(competition): competition.id for competition in competitions}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield Failure(futures[future], "the preparing process was killed (out of memory?); run it again.")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((pool._processes or {}).values()):
            process.terminate()


def _prepare(folder: Path, data_dir: DataDir, options: PrepareOptions) -> PrepareResult | Failure:
    try:
        return prepare_competition(
            load_competition(folder),
            data_dir,
            options.request,
            edition=options.edition,
            keep_raw=options.keep_raw,
            force=options.force,
        )
    except MlebenchError as error:
        return Failure(folder.name, str(error), error.exit_code)
    except OSError as error:
        return Failure(folder.name, f"{error.strerror or error} ({error.filename})")


def _ignore_interrupt() -> None:
    """Ctrl-C reaches the whole process group; only the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(1)))
