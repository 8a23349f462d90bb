"""Building agents' images on the engine: streamed, cached by content, the images they start from first."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from mlebench.agents.context import source_digest, write_context
from mlebench.agents.images import BASE, SOURCE_FOLDER, Build, Engine, Recipe, decide, recipe_for, up_to_date
from mlebench.errors import SandboxError, UsageError

_STEP = re.compile(r"^Step (\d+)/(\d+) ?: (.*)", re.IGNORECASE)
"""Docker's `Step 1/5 : RUN ...` and Podman's `STEP 1/5: RUN ...`."""
_PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Environment variables given to Dockerfiles that declare them as build arguments."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""Known to every build without being declared; never kept in the image."""
_LAST_LINES = 15


class BuildWatch(Protocol):
    """Whoever shows a build while it goes on."""

    def begin(self, image: str, why: str) -> None:
        """A build starts."""
        ...

    def sent(self, done: int, total: int) -> None:
        """Bytes of the build context that the engine has."""
        ...

    def step(self, number: int, total: int, text: str, seconds: float) -> None:
        """A step starts, `seconds` after the build."""
        ...

    def line(self, text: str) -> None:
        """A line that a step printed."""
        ...

    def done(self, image: str, size: int | None, seconds: float | None) -> None:
        """The image is there; `seconds` is None when it was already."""
        ...


class Silent:
    """A BuildWatch that shows nothing."""

    def begin(self, image: str, why: str) -> None: ...
    def sent(self, done: int, total: int) -> None: ...
    def step(self, number: int, total: int, text: str, seconds: float) -> None: ...
    def line(self, text: str) -> None: ...
    def done(self, image: str, size: int | None, seconds: float | None) -> None: ...


class BuildError(SandboxError):
    """A build failed; `lines` are the last that its step printed."""

    def __init__(self, message: str, lines: list[str]) -> None:
        super().__init__(message)
        self.lines = lines


@dataclass(frozen=True)
class BuildOptions:
    """How to build what is named; the images it starts from are built as they were before."""

    args: Mapping[str, str]
    source: Path | None = None
    network: str | None = None
    """Network mode of the build's steps, such as "host"."""
    cache: bool = True
    """False builds everything anew, whether up to date or not."""


def ensure_image(recipe: Recipe, engine: Engine, options: BuildOptions, watch: BuildWatch) -> None:
    """Build the image of a recipe unless it is up to date, and before it the images of ours that it starts from.

    Raises BuildError when a step fails, SandboxError when the base image cannot be had, UsageError for unknown
    arguments. An interrupted build leaves the image that was there before.
    """
    _ensure(recipe, engine, options, watch, ())


def build_folder(image: str, folder: Path, args: Mapping[str, str] | None = None) -> str:
    """Build any folder with a Dockerfile as an image, quietly; the image's id. Errors as of ensure_image."""
    engine = Engine()
    ensure_image(Recipe(image, folder), engine, BuildOptions(args or {}), Silent())
    made = engine.held(image)
    assert made is not None
    return made.id


def _ensure(recipe: Recipe, engine: Engine, options: BuildOptions, watch: BuildWatch, above: tuple[str, ...]) -> None:
    if not (recipe.folder / "Dockerfile").is_file():
        raise UsageError(f"{recipe.folder} has no Dockerfile; there is nothing to build {recipe.image} from.")
    if recipe.image in above:
        raise UsageError(f"The images {' -> '.join((*above, recipe.image))} are each built from the next: a circle.")
    if options.source is not None and recipe.source_arg is None:
        raise UsageError(f"{recipe.image} is not built from a source folder; leave out --source.")
    source = None if options.source is None else source_digest(options.source)
    build, held = decide(recipe, engine, options.args, source)
    if build.base and (below := recipe_for(build.base)):
        _ensure(below, engine, BuildOptions({}, network=options.network), watch, (*above, recipe.image))
    if options.cache and held is not None and up_to_date(build, held, engine):
        watch.done(recipe.image, held.size, None)
        return
    why = "not built yet" if held is None else "its files or arguments changed" if options.cache else "asked for anew"
    if options.source is None and build.choices.source is not None:
        raise UsageError(f"{recipe.image} was built from a source folder and has changed: name the folder by --source.")
    started = time.monotonic()
    watch.begin(recipe.image, why)
    labels = build.labels(_base_id(build, engine, watch))
    with tempfile.TemporaryFile() as archive:
        write_context(archive, recipe.folder, options.source, SOURCE_FOLDER)
        _stream(build, labels, archive, engine, options, watch)
    made = engine.held(recipe.image)
    if made is None:
        raise SandboxError(f"The engine built {recipe.image} but does not have it; is its disk full?")
    watch.done(recipe.image, made.size, time.monotonic() - started)


def _base_id(build: Build, engine: Engine, watch: BuildWatch) -> str:
    """The id of the image to start from, pulled where it is not there; empty for a Dockerfile that names its own."""
    if build.base is None:
        return ""
    if (held := engine.held(build.base)) is not None:
        return held.id
    import requests
    from docker.errors import DockerException

    watch.line(f"pulling {build.base}")
    try:
        repository, _, tag = build.base.partition("@") if "@" in build.base else _split_tag(build.base)
        for event in engine.client.api.pull(repository, tag=tag or "latest", stream=True, decode=True):
            if problem := event.get("error"):
                raise DockerException(problem)
            if status := event.get("status"):
                watch.line(f"{status} {event.get('progress') or ''}".strip())
    except (DockerException, requests.RequestException) as problem:
        reason = getattr(problem, "explanation", None) or problem
        raise SandboxError(
            f"{build.recipe.image} starts from {build.base}, which is not on this engine and cannot be pulled "
            f"({str(reason).strip().rstrip('.')}); name another image with `--build-arg {BASE}=IMAGE`."
        ) from None
    held = engine.held(build.base)
    return held.id if held else ""


def _split_tag(image: str) -> tuple[str, str, str]:
    repository, colon, tag = image.rpartition(":")
    return (repository, colon, tag) if colon and "/" not in tag else (image, "", "")


def _stream(
    build: Build, labels: dict[str, str], archive: IO[bytes], engine: Engine, options: BuildOptions, watch: BuildWatch
) -> None:
    import requests
    from docker.errors import APIError, DockerException

    total = archive.tell()
    archive.seek(0)
    started = time.monotonic()
    recent: deque[str] = deque(maxlen=_LAST_LINES)
    step = "before its first step"
    try:
        events = engine.client.api.build(
            fileobj=_Counted(archive, total, watch),
            custom_context=True,
            dockerfile="Dockerfile",
            tag=build.recipe.image,
            buildargs=_buildargs(build),
            labels=labels,
            network_mode=options.network,
            nocache=not options.cache,
            rm=True,
            forcerm=True,
            decode=True,
        )
        for event in events:
            if (problem := event.get("error")) is not None:
                seconds = time.monotonic() - started
                raise BuildError(
                    f"Building {build.recipe.image} failed {step}, after {seconds:.0f} s: {str(problem).strip().rstrip('.')}.",
                    list(recent),
                )
            for text in str(event.get("stream") or event.get("status") or "").splitlines():
                if found := _STEP.match(text):
                    number, of, what = int(found[1]), int(found[2]), found[3]
                    step = f"in step {number} of {of} ({_short(what)})"
                    recent.clear()
                    watch.step(number, of, what, time.monotonic() - started)
                elif text.strip() and not text.startswith(" ---> ") and not text.startswith("Removing intermediate"):
                    recent.append(text.rstrip())
                    watch.line(text.rstrip())
    except APIError as problem:
        raise SandboxError(
            f"The container engine refused to build {build.recipe.image}: {problem.explanation or problem}."
        ) from None
    except (DockerException, requests.RequestException) as problem:
        raise SandboxError(
            f"The container engine broke off while building {build.recipe.image} ({problem}); try again."
        ) from None


def _buildargs(build: Build) -> dict[str, str]:
    declared = build.recipe.declared
    found = {name: value for name in _PASSED_ON if name in declared and (value := os.environ.get(name))}
    proxies = {name: value for name in _PROXIES if (value := os.environ.get(name))}
    return {**proxies, **found, **build.args}


def _short(command: str, width: int = 60) -> str:
    text = " ".join(command.split())
    return text if len(text) <= width else text[: width - 3] + "..."


class _Counted:
    """The build context as the HTTP client reads it: in pieces, which are counted."""

    def __init__(self, file: IO[bytes], total: int, watch: BuildWatch) -> None:
        self._file, self._total, self._watch, self._done = file, total, watch, 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._done += len(piece)
        self._watch.sent(self._done, self._total)
        return piece

    def __iter__(self) -> Any:
        while piece := self.read(1 << 16):
            yield piece
