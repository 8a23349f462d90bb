"""What the engine is asked for, and what is made of its answers; no engine is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from toys import Attempt, Toy

from mlebench.errors import SandboxError
from mlebench.sandbox.base import Network, Resources
from mlebench.sandbox.container import creation, environment, forward_words, limits
from mlebench.sandbox.docker import DockerSandbox
from mlebench.sandbox.engine import check_gpus, check_limits, check_runtime, engine_errors, engine_facts
from mlebench.sandbox.packages import parse

_INFO = {
    "ServerVersion": "20.10.24",
    "DefaultRuntime": "runc",
    "Runtimes": {"runc": {}, "runsc": {}, "nvidia": {}},
    "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
    "CgroupVersion": "2",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
    "LiveRestoreEnabled": True,
    "KernelVersion": "6.1",
    "OperatingSystem": "Debian",
}


@pytest.fixture
def asked(toy: Toy) -> Any:
    """The arguments of the container's creation for a spec with changes."""

    def make(**changes: Any) -> dict[str, Any]:
        spec = replace(Attempt(toy, "").spec, **changes)
        for folder in (spec.control, *(spec.outbox / name for name in ("submission", "code", "logs"))):
            folder.mkdir(parents=True, exist_ok=True)
        for name in ("instructions.txt", "validate_submission.sh"):
            (spec.control / name).write_text("")
        return creation(spec, "10001:10001", {"mlebench.engine": "mark"})

    return make


def test_every_limit_is_asked_for(asked: Any) -> None:
    made = asked(
        resources=Resources(cpus=1.5, memory_gb=2, pids=77, shm_gb=0.5, cpuset="0-1,3"),
        runtime="runsc",
        labels={"mlebench.run": "r"},
    )
    assert made["nano_cpus"] == 1_500_000_000 and made["cpuset_cpus"] == "0-1,3"
    assert made["mem_limit"] == made["memswap_limit"] == 2 * 1024**3
    assert made["pids_limit"] == 77 and made["shm_size"] == 512 * 1024**2 and made["runtime"] == "runsc"
    assert made["network_mode"] == "none" and made["cap_drop"] == ["ALL"] and made["init"] is True
    assert made["security_opt"] == ["no-new-privileges"]
    assert made["labels"] == {"mlebench.run": "r", "mlebench.engine": "mark"}


def test_what_is_not_asked_for_is_left_to_the_engine(asked: Any) -> None:
    made = asked(resources=Resources())
    assert not {"runtime", "cpuset_cpus", "nano_cpus", "mem_limit", "device_requests", "privileged"} & set(made)


@pytest.mark.parametrize(("mode", "wanted"), [("none", "none"), ("allow", "none"), ("full", "bridge")])
def test_an_allow_list_needs_no_interface(asked: Any, mode: Any, wanted: str) -> None:
    assert asked(network=Network(mode, ("a.org",) if mode == "allow" else ()))["network_mode"] == wanted


def test_gpus_are_handed_over_by_id(toy: Toy) -> None:
    ids = ("GPU-5fd4d4b8-1f5f-4b6e-9f6c-0c6f0c8d7a11", "MIG-0a1b2c3d-1f5f-4b6e-9f6c-0c6f0c8d7a11")
    request = limits(Resources(gpus=ids))["device_requests"][0]
    assert request["DeviceIDs"] == list(ids) and request["Capabilities"] == [["gpu"]] and request["Count"] == 0
    spec = replace(Attempt(toy, "").spec, resources=Resources(gpus=ids), runtime="nvidia")
    assert environment(spec)["NVIDIA_VISIBLE_DEVICES"] == ",".join(ids)
    assert environment(spec)["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"


def test_no_gpu_is_seen_where_none_is_leased(toy: Toy) -> None:
    greedy = replace(Attempt(toy, "", name="b").spec, environment={"NVIDIA_VISIBLE_DEVICES": "all"})
    assert environment(greedy)["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert environment(Attempt(toy, "", name="a").spec)["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_forwards(toy: Toy) -> None:
    spec = Attempt(toy, "").spec
    assert "MLEBENCH_FORWARD" not in environment(spec)  # the entrypoint's own default: validation alone
    words = environment(replace(spec, forwards={5001: "sockets/gateway.sock"}))["MLEBENCH_FORWARD"]
    assert words == "5000:/run/mlebench/sockets/validate.sock 5001:/run/mlebench/sockets/gateway.sock"


@pytest.mark.parametrize(
    "route", [{0: "a.sock"}, {70000: "a.sock"}, {80: "/var/run/docker.sock"}, {80: "../x"}, {80: ""}]
)
def test_forwards_lead_nowhere_else(route: dict[int, str]) -> None:
    with pytest.raises(SandboxError, match="below the control folder"):
        forward_words(route)


@pytest.mark.parametrize("runtime", ["runsc", "nvidia"])
def test_a_known_runtime(runtime: str) -> None:
    check_runtime(runtime, _INFO)


def test_an_unknown_runtime_is_one_sentence() -> None:
    with pytest.raises(SandboxError, match=r"no runtime 'sysbox-runc'; it has nvidia, runc, runsc \(.*daemon.json"):
        check_runtime("sysbox-runc", _INFO)


@pytest.mark.parametrize(
    "explanation",
    [
        'could not select device driver "" with capabilities: [[gpu]]',
        "failed to create shim: unresolvable CDI devices nvidia.com/gpu=0",
    ],
)
def test_the_refusal_of_gpus_is_one_sentence(explanation: str) -> None:
    from docker.errors import APIError

    with pytest.raises(SandboxError, match="NVIDIA Container Toolkit") as caught, engine_errors():
        raise APIError("500", SimpleNamespace(status_code=500), explanation)
    assert explanation not in str(caught.value)


def test_an_engine_without_an_init_program() -> None:
    from docker.errors import APIError

    text = "container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit"
    with pytest.raises(SandboxError, match=r"install it .*catatonit for Podman"), engine_errors():
        raise APIError("500", SimpleNamespace(status_code=500), text)


def test_an_engine_that_cannot_limit() -> None:
    check_limits({"MemoryLimit": True, "PidsLimit": True})
    check_limits({})  # says nothing of it
    with pytest.raises(SandboxError, match=r"cannot limit memory and processes; .*cgroup v2"):
        check_limits({"MemoryLimit": False, "PidsLimit": False})


def test_podman_forgets_requests_for_gpus() -> None:
    check_gpus({"Components": [{"Name": "Engine"}]})
    with pytest.raises(SandboxError, match="Docker Engine only, and this is Podman Engine"):
        check_gpus({"Components": [{"Name": "Podman Engine"}]})


def test_an_unknown_gpu_is_said_as_such() -> None:
    from docker.errors import APIError

    text = "OCI runtime create failed: nvidia-container-cli: device error: GPU-abc: unknown device\nmore"
    with pytest.raises(SandboxError, match=r"\(nvidia-container-cli: .*: unknown device\)"), engine_errors():
        raise APIError("500", SimpleNamespace(status_code=500), text)


def test_engine_facts() -> None:
    facts = engine_facts(_INFO, {"Version": "20.10.24", "Components": [{"Name": "Engine"}]})
    assert facts.name == "Docker Engine" and facts.version == "20.10.24" and facts.rootless and facts.live_restore
    assert facts.security == ["seccomp", "rootless"] and facts.storage == "overlay2 on extfs"
    assert facts.runtimes == ["nvidia", "runc", "runsc"] and facts.cgroup_version == "2"


def test_engine_facts_of_podman() -> None:
    facts = engine_facts({}, {"Version": "5.1", "Components": [{"Name": "Podman Engine"}]})
    assert facts.name == "Podman Engine" and not facts.rootless and facts.runtimes == []


def test_packages_are_read_from_what_an_image_prints() -> None:
    found = parse("==python\n3.11.2\n==pip\nnumpy==2.1\nevil line\x1b[0m\nb @ file:///x\n==dpkg\nzlib1g=1:1.2\n==end\n")
    assert found is not None
    assert found.python == "3.11.2"
    assert found.python_packages == ["b @ file:///x", "numpy==2.1"] and found.system_packages == ["zlib1g=1:1.2"]
    assert parse("==pip\nnumpy==2.1\n") is None, "cut off: not to be kept"
    assert parse("==end\n").python_packages is None  # type: ignore[union-attr]


def test_an_engine_that_refuses_gpus_is_found_out_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from docker.errors import APIError

    made: list[dict[str, Any]] = []
    gone: list[bool] = []

    def start() -> None:
        raise APIError("500", SimpleNamespace(status_code=500), "could not select device driver")

    def create(image: str, **asked: Any) -> Any:
        made.append(asked)
        return SimpleNamespace(id="c", start=start)

    sandbox = DockerSandbox()
    sandbox._connection = SimpleNamespace(
        ping=lambda: True,
        images=SimpleNamespace(get=lambda _: None),
        containers=SimpleNamespace(create=create),
        api=SimpleNamespace(remove_container=lambda *_, **__: gone.append(True)),
        info=lambda: _INFO,
        version=lambda: {"Components": [{"Name": "Engine"}]},
    )
    with pytest.raises(SandboxError, match="cannot hand GPUs"):
        sandbox.check("image", "nvidia", ["GPU-1"])
    assert made[0]["device_requests"][0]["DeviceIDs"] == ["GPU-1"] and made[0]["runtime"] == "nvidia" and gone == [True]


def test_the_agent_folder_decides_who_brings_the_agent(asked: Any, tmp_path: Path) -> None:
    described = tmp_path / "described"
    described.mkdir()
    (described / "agent.toml").write_text("")
    targets = {mount["Target"] for mount in asked(agent_dir=described)["mounts"]}
    assert "/home/agent" not in targets and {"/home/data", "/run/mlebench", "/home/submission"} <= targets
