"""The container engine: does it answer, what can it do, and are the agents' images there?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlebench.doctor.finding import Finding, ok, problem, warning
from mlebench.doctor.gpus import driver_present
from mlebench.errors import MlebenchError, SandboxError

SECONDS = 2.0
"""How long the engine may take for one answer."""
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
_ISOLATING = {"sysbox": "sysbox", "runsc": "gVisor", "kata": "Kata"}
"""Runtimes that put more between an agent and the kernel, by the beginning of their names."""
_ENFORCED = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "processors"}
_OLDEST = (20, 10)


def engine() -> list[Finding]:
    """Everything about the engine in one connection."""
    import docker

    from mlebench.sandbox.docker import engine_errors

    try:
        with engine_errors():
            client = docker.from_env(timeout=SECONDS)
            try:
                info, version = client.info(), client.version()
                tags = {tag for image in client.images.list() for tag in image.tags}
            finally:
                client.close()
    except SandboxError as error:
        return [_silent(str(error))]
    return [_answering(info, version), _limits(info), _gpus(info), _runtimes(info), *_images(tags)]


def _silent(said: str) -> Finding:
    what, _, advice = said.rstrip(".").partition("; ")
    expected = os.environ.get("DOCKER_HOST") or next((name for name in _SOCKETS if Path(name).exists()), None)
    if expected:
        return problem("Container engine", f"{what} ({expected})", advice)
    return warning("Container engine", "there is none; agents can only run with --sandbox process", advice)


def _answering(info: dict[str, Any], version: dict[str, Any]) -> Finding:
    name = f"{version.get('Version', 'unknown')}, API {version.get('ApiVersion', 'unknown')}"
    if _is_rootless(info):
        name += ", rootless"
    detail = f"{name}, this user may use it"
    numbers = tuple(int(part) for part in str(version.get("Version", "")).split(".")[:2] if part.isdigit())
    if len(numbers) == 2 and numbers[0] >= 17 and numbers < _OLDEST:  # Podman counts otherwise
        return warning("Container engine", detail, "update it: 20.10 is the oldest that is tested")
    return ok("Container engine", detail)


def _limits(info: dict[str, Any]) -> Finding:
    lacking = [what for key, what in _ENFORCED.items() if not info.get(key)]
    detail = f"control groups version {info.get('CgroupVersion', '1')}"
    if lacking:
        advice = (
            "delegate these controllers to the engine's user" if _is_rootless(info) else "switch them on in the kernel"
        )
        return warning("Engine limits", f"{detail}; {', '.join(lacking)} cannot be limited", advice)
    return ok("Engine limits", f"{detail}; memory, processes and processors can be limited")


def _gpus(info: dict[str, Any]) -> Finding:
    registered = any("nvidia" in name for name in info.get("Runtimes") or {})
    offered = any("nvidia.com/" in str(device.get("ID", "")) for device in info.get("DiscoveredDevices") or [])
    if registered or offered or shutil.which("nvidia-container-runtime-hook") or shutil.which("nvidia-ctk"):
        return ok("Engine GPUs", "the NVIDIA container toolkit is there")
    if not driver_present():
        return ok("Engine GPUs", "no NVIDIA runtime, and no GPU that would need one")
    return warning(
        "Engine GPUs", "containers get no GPU", "install the NVIDIA container toolkit and restart the engine"
    )


def _runtimes(info: dict[str, Any]) -> Finding:
    names = sorted(name for name in info.get("Runtimes") or {} if not name.startswith("io.containerd."))
    strong = [title for start, title in _ISOLATING.items() if any(name.startswith(start) for name in names)]
    found = f"{', '.join(names) or 'unknown'} (default {info.get('DefaultRuntime') or 'unknown'})"
    note = f"; stronger isolation: {', '.join(strong)}" if strong else "; none with stronger isolation (sysbox, gVisor)"
    return ok("Engine runtimes", found + note)


def _images(tags: Iterable[str]) -> list[Finding]:
    from mlebench.agents.agent import builtin_agents, load_agent
    from mlebench.sandbox.docker import DEFAULT_IMAGE, how_to_get

    here = set(tags)
    users: dict[str, list[str]] = {DEFAULT_IMAGE: []}
    broken = []
    for name in builtin_agents():
        try:
            users.setdefault(load_agent(name).facts.image, []).append(name)
        except MlebenchError as error:
            broken.append(problem("Agents", str(error), "mend or remove this agent's folder"))
    findings = []
    for image, agents in users.items():
        title, of = f"Image {image}", f"of {', '.join(agents)}" if agents else "of agents"
        if (image if ":" in image.rpartition("/")[2] else f"{image}:latest") in here:
            findings.append(ok(title, f"there ({of})"))
        else:
            findings.append(warning(title, f"not on this engine ({of})", how_to_get(image)))
    return findings + broken


def _is_rootless(info: dict[str, Any]) -> bool:
    return any("rootless" in option for option in info.get("SecurityOptions") or [])
