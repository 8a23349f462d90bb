"""The container sandbox against a real engine."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from toys import Attempt, Toy

from mlebench.agents.building import build_folder
from mlebench.errors import SandboxError, UsageError
from mlebench.sandbox.base import Resources
from mlebench.sandbox.docker import DockerSandbox, _user
from mlebench.validation.launcher import ValidationService

pytestmark = pytest.mark.docker
Make = Callable[..., Attempt]

_LOOK = """
import json, os, socket
def writable(path):
    try:
        open(os.path.join(path, "probe"), "w").close(); return True
    except OSError:
        return False
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "uid": os.getuid(), "cwd": os.getcwd(), "env": dict(os.environ),
    "caps": status["CapEff"], "bounding": status["CapBnd"], "no_new_privs": status["NoNewPrivs"],
    "writable": [p for p in ("/home/data", "/home/agent", "/run/mlebench", "/home/submission", "/home/code",
                             "/home/logs", "/tmp", os.environ["HOME"]) if writable(p)],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "instructions": open("/home/instructions.txt").read(), "home": sorted(os.listdir("/home")),
}))
"""


def test_what_an_agent_sees(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container(_LOOK)
    assert attempt.run(engine).code == 0, attempt.printed(engine)
    seen = json.loads(attempt.printed(engine).splitlines()[-1])
    assert seen["uid"] != 0 and seen["cwd"] == "/home/agent"
    assert int(seen["caps"], 16) == 0 and int(seen["bounding"], 16) == 0 and seen["no_new_privs"].strip() == "1"
    assert seen["writable"][:4] == ["/home/submission", "/home/code", "/home/logs", "/tmp"]
    assert seen["env"]["HOME"] in seen["writable"]
    assert seen["interfaces"] == ["lo"]
    assert seen["env"]["SUBMISSION_FILE"] == "/home/submission/submission.csv"
    assert seen["env"]["VALIDATE_URL"] == "http://localhost:5000/validate"
    assert "/home/submission/submission.csv" in seen["instructions"] and "60 seconds" in seen["instructions"]
    assert {"instructions.txt", "validate_submission.sh"} <= set(seen["home"])


def test_what_the_engine_was_asked_for(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container("import time; time.sleep(60)")
    container = engine._client.containers.get(attempt.start(engine))
    asked = container.attrs["HostConfig"]
    assert asked["NetworkMode"] == "none" and asked["CapDrop"] == ["ALL"] and asked["Init"] is True
    assert asked["Memory"] == asked["MemorySwap"] == 512 * 1024**2
    assert asked["NanoCpus"] == 10**9 and asked["PidsLimit"] == 64 and not asked["Privileged"]
    assert container.labels["mlebench.attempt"] == attempt.name
    assert "NVIDIA_VISIBLE_DEVICES=void" in container.attrs["Config"]["Env"]
    assert not any("private" in mount["Source"] for mount in container.attrs["Mounts"])


def test_exit_code_and_bounded_logs(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container("import sys; print('x' * 5000); sys.exit(7)")
    ended = attempt.run(engine)
    assert (ended.code, ended.out_of_memory) == (7, False)
    assert len(attempt.printed(engine, limit=1000)) < 1100


def test_one_that_ignores_sigterm_is_killed_after_the_grace(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('/home/logs/ready', 'w').write('1')\ntime.sleep(600)"
    )
    attempt.start(engine)
    attempt.until("logs/ready")
    assert engine.wait(attempt.handle, 0.1) is None
    begin = time.monotonic()
    engine.stop(attempt.handle, 1)
    assert 0.9 < time.monotonic() - begin < 15
    ended = engine.wait(attempt.handle, 5)
    assert ended is not None and ended.code == 137 and not ended.out_of_memory and not engine.alive(attempt.handle)


def test_sigterm_reaches_the_agent(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container(
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "open('/home/logs/ready', 'w').write('1')\ntime.sleep(600)"
    )
    attempt.start(engine)
    attempt.until("logs/ready")
    engine.stop(attempt.handle, 30)
    ended = engine.wait(attempt.handle, 5)
    assert ended is not None and ended.code == 3


@pytest.mark.parametrize("in_child", [False, True])
def test_memory_limit(engine: DockerSandbox, in_container: Make, in_child: bool) -> None:
    eat = "b = []\nwhile True: b.append(bytearray(1 << 22))"
    script = f"import subprocess, sys\nsys.exit(subprocess.run([sys.executable, '-c', {eat!r}]).returncode != 0)"
    attempt = in_container(script if in_child else eat, resources=Resources(memory_gb=0.1, cpus=1, pids=64))
    ended = attempt.run(engine)
    assert ended.code != 0
    assert ended.out_of_memory


def test_fork_bomb_is_bounded(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container(
        "import os, time\ncount = 0\ntry:\n    while count < 1000:\n        if os.fork() == 0: time.sleep(600)\n"
        "        count += 1\nexcept OSError: pass\nopen('/home/logs/count', 'w').write(str(count))\ntime.sleep(600)"
    )
    attempt.start(engine)
    assert int(attempt.until("logs/count")) < 64
    engine.stop(attempt.handle, 0)
    assert not engine.alive(attempt.handle)


def test_a_new_runner_adopts_and_a_service_comes_back(engine: DockerSandbox, in_container: Make, toy: Toy) -> None:
    script = (
        "import os, subprocess, time\nfrom pathlib import Path\n"
        "Path('/home/submission/submission.csv').write_bytes(Path('/home/data/sample_submission.csv').read_bytes())\n"
        "for step in ('first', 'second'):\n"
        "    while not Path(f'/home/logs/go-{step}').exists(): time.sleep(0.05)\n"
        "    done = subprocess.run(['sh', '/home/validate_submission.sh'], capture_output=True, text=True)\n"
        "    Path(f'/home/logs/{step}').write_text(f'{done.returncode} {done.stdout}')\n"
    )
    attempt = in_container(script)
    service = ValidationService(
        toy.competition, toy.sample, attempt.home / "calls.jsonl", socket=attempt.socket, answers=toy.private
    )
    with service:
        attempt.start(engine)
        (attempt.outbox / "logs" / "go-first").touch()
        assert attempt.until("logs/first").startswith("0 Submission is valid.")
        service.stop()
        service.start()
        (attempt.outbox / "logs" / "go-second").touch()
        assert attempt.until("logs/second").startswith("0 Submission is valid.")
        assert service.calls == 2
    later = DockerSandbox()
    ended = later.wait(attempt.handle, 20)
    assert ended is not None and ended.code == 0


def test_no_endpoint_is_said_as_such(engine: DockerSandbox, in_container: Make) -> None:
    ask = (
        "VALIDATE_URL=http://localhost:9/validate exec sh /home/validate_submission.sh /home/data/sample_submission.csv"
    )
    attempt = in_container("", command=("sh", "-c", ask))
    assert attempt.run(engine).code == 2


def test_a_leftover_of_the_same_attempt_is_replaced(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container("import time; time.sleep(60)")
    first = attempt.start(engine)
    second = attempt.start(engine)
    assert first != second and engine.alive(second) and not engine.alive(first)


def test_gone_containers(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container("")
    handle = attempt.start(engine)
    engine.remove(handle)
    engine.remove(handle)
    engine.stop(handle, 0)
    assert not engine.alive(handle)
    with pytest.raises(SandboxError, match="gone"):
        engine.wait(handle, 1)


def test_missing_image_names_the_next_step(engine: DockerSandbox, toy: Toy) -> None:
    spec = Attempt(toy, "print(1)").spec
    with pytest.raises(SandboxError, match="docker pull nowhere/none"):
        engine.start(replace(spec, image="nowhere/none"))
    with pytest.raises(SandboxError, match="mlebench agents build mlebench-agent"):
        engine.start(replace(spec, image="mlebench-agent:no-such-tag"))


@pytest.mark.parametrize("host", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:9"])
def test_no_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(SandboxError, match="does not answer"):
        DockerSandbox().check()


def test_the_agents_user(monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"SecurityOptions": ["name=seccomp,profile=default"]}
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert _user(info) == "10001:10001"
    monkeypatch.setattr("os.getuid", lambda: 1234)
    monkeypatch.setattr("os.getgid", lambda: 56)
    assert _user(info) == "1234:56"
    assert _user({"SecurityOptions": ["name=rootless"]}) == "0:0"


def test_an_agents_own_image(engine: DockerSandbox, in_container: Make, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    tag = f"mlebench-test-{uuid.uuid4().hex[:10]}"
    with pytest.raises(UsageError, match="no Dockerfile"):
        build_folder(tag, context)
    (context / "agent.py").write_text("print('from the image')")
    dockerfile = "ARG BASE\nFROM ${BASE}\nUSER root\nCOPY agent.py /home/agent/\n"
    (context / "Dockerfile").write_text(dockerfile + "RUN exit 3\n")
    with pytest.raises(SandboxError, match="RUN exit 3"):
        build_folder(tag, context, {"BASE": "mlebench-agent"})
    (context / "Dockerfile").write_text(dockerfile)
    build_folder(tag, context, {"BASE": "mlebench-agent"})
    try:
        attempt = in_container("unused")
        (attempt.agent / "agent.py").rename(attempt.agent / "README.md")
        attempt.handle = engine.start(replace(attempt.spec, image=tag))
        ended = engine.wait(attempt.handle, 30)
        assert ended is not None and ended.code == 0 and "from the image" in attempt.printed(engine)
    finally:
        engine.remove(attempt.handle)
        engine._client.images.remove(tag)


def test_more_endpoints_are_forwarded(engine: DockerSandbox, in_container: Make, toy: Toy) -> None:
    attempt = in_container("import urllib.request as u\nprint(u.urlopen('http://localhost:5001/health').read())")
    service = ValidationService(
        toy.competition, toy.sample, attempt.home / "calls.jsonl", socket=attempt.control / "sockets" / "other.sock"
    )
    with service:
        attempt.handle = engine.start(replace(attempt.spec, forwards={5001: "sockets/other.sock"}))
        ended = engine.wait(attempt.handle, 30)
    assert ended is not None and ended.code == 0 and "running" in attempt.printed(engine)


def test_bound_to_processors_and_a_runtime(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container("import os; print(os.sched_getaffinity(0))", resources=Resources(cpuset="0", shm_gb=0.125))
    attempt.handle = engine.start(replace(attempt.spec, runtime="runc"))
    ended = engine.wait(attempt.handle, 30)
    assert ended is not None and ended.code == 0 and "{0}" in attempt.printed(engine)


def test_a_runtime_the_engine_lacks(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container("")
    with pytest.raises(SandboxError, match="no runtime 'no-such-runtime'; it has"):
        engine.start(replace(attempt.spec, runtime="no-such-runtime"))
    with pytest.raises(SandboxError, match="no runtime"):
        engine.check(runtime="no-such-runtime")


def test_gpus_on_an_engine_without(engine: DockerSandbox, in_container: Make) -> None:
    if "nvidia" in engine.engine_facts().runtimes:
        pytest.skip("this engine has an NVIDIA runtime")
    with pytest.raises(SandboxError, match="NVIDIA Container Toolkit"):
        engine.check("mlebench-agent", gpus=["GPU-0"])
    attempt = in_container("", resources=Resources(gpus=("GPU-0",)))
    with pytest.raises(SandboxError, match="NVIDIA Container Toolkit"):
        attempt.start(engine)
    assert engine._client.api.containers(all=True, filters={"name": attempt.name}) == []


def test_facts_of_engine_and_image(engine: DockerSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    what = engine.engine_facts()
    assert what.version and what.cgroup_version in ("1", "2") and what.runtime in what.runtimes and what.storage
    facts = engine.image_facts("mlebench-agent")
    assert facts is not None and facts.id.startswith("sha256:") and facts.bytes and facts.bytes > 10**8
    assert facts.python and facts.python_packages and facts.system_packages
    assert any(package.startswith("pandas==") for package in facts.python_packages)
    assert any(package.startswith("libc6=") for package in facts.system_packages)
    monkeypatch.setattr("mlebench.sandbox.packages._list", lambda *_: pytest.fail("asked twice"))
    assert engine.image_facts("mlebench-agent") == facts
    assert engine.image_facts("nowhere/none") is None
    _none_is_left(engine, f"mlebench.facts={facts.id}")


def test_an_image_that_does_not_tell_its_packages(
    engine: DockerSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("mlebench.sandbox.packages._SCRIPT", "echo ==pip; echo a==1; sleep 600; echo ==end")
    monkeypatch.setattr("mlebench.sandbox.packages.SECONDS", 1.0)
    facts = engine.image_facts("mlebench-agent")
    assert facts is not None and facts.python_packages is None and list(tmp_path.rglob("*.json")) == []
    _none_is_left(engine, f"mlebench.facts={facts.id}")


def _none_is_left(engine: DockerSandbox, label: str) -> None:
    deadline = time.monotonic() + 30  # other tests, on this machine at this moment, list packages as well
    while left := engine._client.api.containers(all=True, filters={"label": label}):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def test_what_is_written_elsewhere_counts(engine: DockerSandbox, in_container: Make) -> None:
    attempt = in_container(
        "import time\nopen('/tmp/big', 'wb').write(bytes(30_000_000))\n"
        "open('/home/logs/ready', 'w').write('1')\ntime.sleep(600)"
    )
    attempt.start(engine)
    attempt.until("logs/ready")
    assert 30_000_000 <= engine.disk_usage(attempt.handle) < 40_000_000
    by_the_engine = engine._client.api.containers(all=True, size=True, filters={"id": attempt.handle})[0]["SizeRw"]
    assert abs(by_the_engine - engine.disk_usage(attempt.handle)) < 1_000_000
    engine.remove(attempt.handle)
    assert engine.disk_usage(attempt.handle) == 0
