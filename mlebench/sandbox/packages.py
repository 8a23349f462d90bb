"""What is installed in an image: listed once by a throw-away container without network, kept by the image's id."""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ValidationError

from mlebench.sandbox.container import AGENT_UID

SECONDS = 120.0
_MOST = 20_000
_MOST_BYTES = 8 * 1024**2
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:~!-]*(==?| @ )[^\s\x00-\x1f\x7f]{1,300}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
_SCRIPT = r"""
echo ==python; python3 -c 'import platform; print(platform.python_version())' 2>/dev/null
echo ==pip; python3 -m pip list --format=freeze --disable-pip-version-check 2>/dev/null || python3 -c '
import importlib.metadata as m
for d in m.distributions(): print(f"{d.name}=={d.version}")' 2>/dev/null
echo ==dpkg; dpkg-query -W -f '${Package}=${Version}\n' 2>/dev/null
echo ==end
"""


class Packages(BaseModel):
    """What the listing found."""

    python: str | None = None
    python_packages: list[str] | None = None
    system_packages: list[str] | None = None


def packages_of(client: Any, image_id: str) -> Packages:
    """The image's packages, from the cache where it was asked before."""
    kept = platformdirs.user_cache_path("mle-bench") / "images" / f"{image_id.rpartition(':')[2]}.json"
    try:
        return Packages.model_validate_json(kept.read_bytes())
    except (OSError, ValidationError):
        pass
    from docker.errors import APIError

    try:
        found = parse(_list(client, image_id))
    except APIError:  # an image without a shell, or an engine that cannot do it: the facts are without packages
        found = None
    if found is None:
        return Packages()
    _keep(kept, found)
    return found


def parse(text: str) -> Packages | None:
    """What the script printed, as facts; None when it did not come to its end. The image may print what it likes."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("=="):
            lines = sections.setdefault(line[2:], [])
        elif len(lines) < _MOST:
            lines.append(line.strip())
    if "end" not in sections:
        return None
    version = next((line for line in sections.get("python", []) if _VERSION.fullmatch(line)), None)
    python, system = (
        sorted({line for line in sections.get(name, []) if _PACKAGE.fullmatch(line)}) for name in ("pip", "dpkg")
    )
    return Packages(python=version, python_packages=python or None, system_packages=system or None)


def _list(client: Any, image_id: str) -> str:
    """What the script prints in a container of this image; empty when it takes too long or prints too much."""
    from docker.errors import APIError

    container = client.containers.create(
        image_id,
        command=["-c", _SCRIPT],
        entrypoint=["/bin/sh"],
        user=f"{AGENT_UID}:{AGENT_UID}",
        environment={"NVIDIA_VISIBLE_DEVICES": "void", "HOME": "/tmp"},
        labels={"mlebench.facts": image_id},
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        read_only=True,
        tmpfs={"/tmp": "size=64m"},
        mem_limit="1g",
        memswap_limit="1g",
        pids_limit=64,
        init=True,
        auto_remove=True,  # by the engine, also when we are killed meanwhile
        log_config={"Type": "none"},
    )
    overdue = threading.Timer(SECONDS, _kill, [container])
    overdue.daemon = True
    try:
        output = container.attach(stdout=True, stderr=False, stream=True)
        container.start()
        overdue.start()
        text = b""
        for chunk in output:
            text += chunk
            if len(text) > _MOST_BYTES:
                return ""
        return text.decode("utf-8", "replace")
    finally:
        overdue.cancel()
        with suppress(APIError):  # the engine has removed it, or is about to
            container.remove(force=True, v=True)


def _kill(container: Any) -> None:
    with suppress(Exception):  # it may be gone at this moment, and so may the engine
        container.kill()


def _keep(path: Path, found: Packages) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(found.model_dump_json())
        aside.replace(path)
    except OSError:  # a cache that cannot be written costs seconds, nothing else
        pass
