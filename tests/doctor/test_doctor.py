"""The doctor: each check alone, with what it looks at made good, bad and absent; no secret in any of it."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlebench.cli.app import app
from mlebench.cli.verbs import doctor as _registered  # noqa: F401
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.doctor import access, data, engine, gpus, machine, python
from mlebench.doctor.checks import all_checks
from mlebench.doctor.examine import Check, examine
from mlebench.doctor.finding import Level, ok
from mlebench.hardware import nvml
from mlebench.hardware.api import SharePolicy
from mlebench.hardware.inventory import take_inventory
from mlebench.hardware.leases import Leases
from mlebench.registry import Registry
from mlebench.validation import landlock

SECRET = "s3cr3t-" + "0123456789"


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch) -> Path:
    """A home without credentials, an environment without keys, no engine."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in [*access.MODEL_KEYS, "KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nonexistent.sock")
    return home


class TestRunner:
    def test_a_failing_or_hanging_check_leaves_the_others_alone(self):
        hang = threading.Event()

        def fails():
            raise ZeroDivisionError("oh")

        began = time.monotonic()
        found = examine(
            [
                Check("first", lambda: [ok("first", "fine")]),
                Check("broken", fails),
                Check("hung", lambda: [ok("hung", str(hang.wait()))], seconds=0.2),
                Check("last", lambda: [ok("last", "fine")]),
            ]
        )
        hang.set()
        assert time.monotonic() - began < 20
        assert [(one.title, one.level) for one in found] == [
            ("first", Level.OK),
            ("broken", Level.WARNING),
            ("hung", Level.WARNING),
            ("last", Level.OK),
        ]
        assert "ZeroDivisionError" in found[1].detail and "0.2 s" in found[2].detail

    def test_everything_is_examined_at_once_and_has_a_next_step(self, tmp_path: Path):
        began = time.monotonic()
        found = examine(all_checks(DataDir(tmp_path / "data")))
        assert time.monotonic() - began < 15  # idle 1 s; one after another the limits add up to more
        assert len(found) >= 10
        assert all(one.advice or one.level is Level.OK for one in found)


class TestPython:
    def test_this_python_is_fine(self):
        assert python.python_version()[0].level is Level.OK

    def test_missing_and_old_packages_are_named_with_the_command(self):
        found = python.packages(["numpy>=1.0", "pandas>=999.1", "no-such-thing>=2", "pytest>=99; extra == 'dev'"])
        assert found[0].level is Level.PROBLEM
        assert "pandas" in found[0].detail and "no-such-thing is missing" in found[0].detail
        assert found[0].advice == "pip install --upgrade 'pandas>=999.1' 'no-such-thing>=2'"

    def test_the_installed_packages_are_fine(self):
        assert python.packages()[0].level is Level.OK

    @pytest.mark.parametrize(("old", "new"), [("2.9", "2.10"), ("1", "1.0.1"), ("2.1rc1", "2.2"), ("0.9", "1")])
    def test_versions_compare_as_numbers(self, old: str, new: str):
        assert python._numbers(old) < python._numbers(new)

    def test_trailing_zeros_say_nothing(self):
        assert python._numbers("2.0.0") == python._numbers("2")


class TestMachine:
    def test_memory_and_processors(self):
        assert "processors" in machine.processors_and_memory()[0].detail

    def test_a_small_machine_is_a_warning(self, monkeypatch):
        monkeypatch.setattr(machine.processors, "memory_limit", lambda: 10**9)
        found = machine.processors_and_memory()[0]
        assert found.level is Level.WARNING and "allows 1.0 GB" in found.detail

    def test_a_kernel_without_landlock(self, monkeypatch):
        monkeypatch.setattr(landlock, "abi", lambda: 0)
        assert machine.answers_hidden()[0].level is Level.WARNING
        monkeypatch.setattr(landlock, "abi", lambda: 4)
        assert machine.answers_hidden()[0].level is Level.OK


class TestGpus:
    """With a fake NVML (tests/hardware/fake_nvml.py); every state of every card is tested there."""

    @pytest.fixture(autouse=True)
    def _own_nvml(self, monkeypatch, tmp_path: Path):
        monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "hardware"))
        monkeypatch.setenv("MLEBENCH_LEASES_DIR", str(tmp_path / "leases"))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        yield
        nvml.use(None)

    def _install(self, *cards, **options):
        from fake_nvml import FakeNvml

        nvml.use(FakeNvml(*cards, **options))

    def test_each_card_with_its_health(self):
        from fake_nvml import FakeGpu, FakeMig, cards

        broken, used = cards(2)
        broken.lost, used.used = True, 3 * 1024**3
        self._install(broken, used, FakeGpu("GPU-m", mig=[FakeMig("MIG-1")]), FakeGpu("GPU-n", mig=[]))
        levels = {one.title: (one.level, one.detail) for one in gpus.gpus()}
        assert "2 x NVIDIA H200 (140 GB)" not in levels["GPUs"][1] and "3 x NVIDIA H200 (140 GB)" in levels["GPUs"][1]
        assert "driver 570.86.15, CUDA up to 12.8" in levels["GPUs"][1]
        assert levels["GPU 0"] == (Level.PROBLEM, "unknown GPU has fallen off the bus")
        assert levels["GPU 1"] == (Level.OK, "NVIDIA H200, healthy, GPU-00000001; 3.0 GB in use")
        assert "1g.18gb MIG-1" in levels["GPU 2"][1] and levels["GPU 3"][0] is Level.WARNING

    def test_no_driver_is_no_problem_and_a_broken_one_is(self, monkeypatch):
        self._install(init=12)
        monkeypatch.setattr(gpus, "driver_present", lambda: False)
        (found,) = gpus.gpus()
        assert found.level is Level.OK and "no NVIDIA driver" in found.detail
        self._install(init=18)
        monkeypatch.setattr(gpus, "driver_present", lambda: True)
        (found,) = gpus.gpus()
        assert found.level is Level.PROBLEM and "reboot" in found.detail

    def test_cards_that_hang_are_told_in_time(self, monkeypatch):
        from fake_nvml import cards

        several = cards(4)
        self._install(*several)
        inventory = take_inventory()
        monkeypatch.setattr(gpus, "take_inventory", lambda: inventory)
        monkeypatch.setattr(gpus, "_ANSWER_SECONDS", 2.0)
        wait = threading.Event()
        for card in several[1:]:
            card.hang = wait
        began = time.monotonic()
        found = gpus.gpus()
        wait.set()
        assert time.monotonic() - began < 5.5  # one after another: 6
        assert [one.level for one in found] == [Level.OK, Level.OK] + [Level.PROBLEM] * 3

    def test_who_holds_what(self):
        from fake_nvml import cards

        self._install(*cards(1))
        assert "no GPU" in gpus.leases()[0].detail
        policy = SharePolicy(concurrency=1, gpus_per_attempt=1, pin_cpus=True, cpus=1)
        desk = Leases(policy, living=lambda name: True)
        lease = desk.take("mlebench-run-s0")
        assert lease is not None
        (found,) = gpus.leases()
        assert found.level is Level.OK and "mlebench-run-s0 holds GPU 0, processors 0 since" in found.detail
        assert f"runner {os.getpid()} of this user" in found.detail
        lease.release()


INFO = {
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "Runtimes": {"runc": {}, "io.containerd.runc.v2": {}},
    "DefaultRuntime": "runc",
    "SecurityOptions": ["name=seccomp,profile=default"],
}


class TestEngine:
    def test_an_engine_that_was_set_up_and_is_silent_is_a_problem(self):
        (found,) = engine.engine()
        assert found.level is Level.PROBLEM and "nonexistent.sock" in found.detail
        assert "--sandbox process" in found.advice

    def test_no_engine_at_all_is_a_warning(self, monkeypatch):
        monkeypatch.delenv("DOCKER_HOST")
        monkeypatch.setattr(engine, "_SOCKETS", ("/nonexistent",))
        assert engine._silent("The container engine does not answer; start it.").level is Level.WARNING

    def test_an_engine_that_hangs_is_told_in_time(self, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(engine, "SECONDS", 0.3)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/hung.sock")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "hung.sock"))
            server.listen()
            began = time.monotonic()
            (found,) = engine.engine()
        assert found.level is Level.PROBLEM and time.monotonic() - began < 20

    def test_abilities(self):
        assert engine._limits(INFO).level is Level.OK
        assert "memory" in engine._limits({**INFO, "MemoryLimit": False}).detail
        assert "rootless" in engine._answering({"SecurityOptions": ["name=rootless"]}, {"Version": "27.0"}).detail
        assert engine._answering(INFO, {"Version": "19.3.1"}).level is Level.WARNING
        assert engine._answering(INFO, {"Version": "5.2.1"}).level is Level.OK  # Podman
        assert "sysbox, gVisor" in engine._runtimes({"Runtimes": {"runsc": {}, "sysbox-runc": {}}}).detail

    def test_a_gpu_without_its_runtime_is_a_warning(self, tmp_path: Path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(engine, "driver_present", lambda: False)
        assert engine._gpus(INFO).level is Level.OK
        monkeypatch.setattr(engine, "driver_present", lambda: True)
        assert engine._gpus(INFO).level is Level.WARNING
        assert engine._gpus({"Runtimes": {"nvidia": {}}}).level is Level.OK
        assert engine._gpus({"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]}).level is Level.OK

    def test_images(self):
        titles = {one.title: one for one in engine._images(["mlebench-agent:latest"])}
        assert titles["Image mlebench-agent"].level is Level.OK
        lacking = {one.title: one for one in engine._images([])}["Image mlebench-agent"]
        assert lacking.level is Level.WARNING and "build" in lacking.advice


class TestData:
    def test_nothing_yet(self, tmp_path: Path):
        directory, prepared = data.data_directory(DataDir(tmp_path / "new" / "deep"))
        assert directory.level is Level.OK and "can be made" in directory.detail
        assert prepared.level is Level.WARNING and not (tmp_path / "new").exists()

    def test_damage_that_a_glance_can_see(self, tmp_path: Path):
        where, one = DataDir(tmp_path / "data"), Registry().get("spaceship-titanic")
        prepare_competition(one, where, SourceRequest("synthetic"))
        assert [found.level for found in data.data_directory(where)] == [Level.OK, Level.OK]
        paths = where.paths(one.id)
        content = (paths.public / "train.csv").read_bytes()
        (paths.public / "train.csv").write_bytes(content[:-1])
        assert "another size" in data.data_directory(where)[1].detail
        (paths.public / "train.csv").unlink()
        assert "is missing" in data.data_directory(where)[1].detail
        paths.manifest.write_text('{"competition": ')
        found = data.data_directory(where)[1]
        assert found.level is Level.PROBLEM and "manifest is damaged" in found.detail
        assert found.advice == "run `mlebench prepare spaceship-titanic --force`"

    def test_a_large_manifest_is_looked_at_from_its_end(self, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(data, "_LARGE_MANIFEST", 10)
        paths = DataDir(tmp_path).paths("some")
        paths.prepared.mkdir(parents=True)
        paths.manifest.write_text('{"files": {"a": 1}}\n')
        assert data._complaint(paths) == ""
        paths.manifest.write_text('{"files": {"a": 1, "b": ')
        assert "cut off" in data._complaint(paths)

    @pytest.mark.parametrize(("free", "level"), [(10**6, Level.PROBLEM), (10**10, Level.WARNING), (10**12, Level.OK)])
    def test_room(self, tmp_path: Path, monkeypatch, free: int, level: Level):
        monkeypatch.setattr(data, "free_bytes", lambda _: free)
        assert data.free_disk(DataDir(tmp_path))[0].level is level

    def test_a_place_that_cannot_be_written(self, tmp_path: Path):
        (tmp_path / "file").write_text("")
        found = data._writable(Path("/proc/mlebench"))
        assert found.level is Level.PROBLEM and "/proc cannot be written" in found.detail


class TestAccess:
    def test_no_credentials_is_a_warning_with_the_page(self):
        (found,) = access.kaggle_credentials()
        assert found.level is Level.WARNING and "kaggle.com/settings" in found.advice

    def test_credentials_are_told_without_their_value(self, nobody: Path, monkeypatch):
        monkeypatch.setenv("KAGGLE_USERNAME", "somebody")
        monkeypatch.setenv("KAGGLE_KEY", SECRET)
        (found,) = access.kaggle_credentials()
        assert found.level is Level.OK and "KAGGLE_KEY" in found.detail and SECRET not in str(found)

    def test_a_file_that_others_can_read(self, nobody: Path):
        file = nobody / ".kaggle" / "kaggle.json"
        file.parent.mkdir()
        file.write_text(json.dumps({"username": "somebody", "key": SECRET}))
        file.chmod(0o644)
        (found,) = access.kaggle_credentials()
        assert found.level is Level.WARNING and "chmod 600 ~/.kaggle/kaggle.json" in found.advice
        file.chmod(0o600)
        assert access.kaggle_credentials()[0].level is Level.OK

    def test_a_damaged_file_is_a_problem(self, nobody: Path):
        (nobody / ".kaggle").mkdir()
        (nobody / ".kaggle" / "kaggle.json").write_text("{")
        (found,) = access.kaggle_credentials()
        assert found.level is Level.PROBLEM and found.advice

    def test_rules_without_credentials(self):
        (found,) = access.kaggle_rules(["spaceship-titanic"])
        assert found.level is Level.PROBLEM and found.advice

    def test_rules_are_listed_page_by_page(self, monkeypatch):
        import mlebench.data.kaggle
        from mlebench.data.kaggle.errors import Problem
        from mlebench.data.kaggle.rules import RuleStatus

        def answers(ids, **_):
            return [
                RuleStatus(one, None if one == "a" else Problem.RULES, f"accept {one}", f"https://page/{one}")
                for one in ids
            ]

        monkeypatch.setattr(mlebench.data.kaggle, "check_rules", answers)
        first, *rest = access.kaggle_rules(["a", "b", "c"])
        assert first.level is Level.OK and "1 of 3" in first.detail
        assert [(one.level, one.detail, one.advice) for one in rest] == [
            (Level.PROBLEM, "b", "accept b"),
            (Level.PROBLEM, "c", "accept c"),
        ]

    def test_model_keys_by_name(self, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        (found,) = access.model_keys()
        assert "OPENAI_API_KEY" in found.detail and SECRET not in str(found)


class TestVerb:
    def test_exit_code_and_json(self, tmp_path: Path, monkeypatch):
        for name in ("OPENAI_API_KEY", "KAGGLE_API_TOKEN"):
            monkeypatch.setenv(name, SECRET)
        result = CliRunner().invoke(app, ["doctor", "--json", "--data-dir", str(tmp_path)])
        told = json.loads(result.stdout)
        assert result.exit_code == 1 and told["problems"] >= 1  # the engine
        assert {"level", "title", "detail", "advice"} == set(told["findings"][0])
        assert SECRET not in result.output

    def test_the_table_names_every_finding(self, tmp_path: Path):
        result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
        for title in ("Python", "Container engine", "Kaggle credentials", "Prepared data"):
            assert title in result.output
        assert "problem" in result.output.splitlines()[-1]

    def test_brackets_are_no_markup(self, tmp_path: Path):
        weird = tmp_path / "[red]data"
        assert "[red]data" in CliRunner().invoke(app, ["doctor", "--data-dir", str(weird)]).output.replace("\n", "")


@pytest.mark.docker
def test_a_real_engine_answers(monkeypatch):
    monkeypatch.delenv("DOCKER_HOST")
    if not os.path.exists("/var/run/docker.sock"):
        pytest.skip("no engine")
    found = engine.engine()
    if found[0].level is not Level.OK:
        pytest.skip(found[0].detail)
    assert {"Container engine", "Engine limits", "Engine runtimes"} <= {one.title for one in found}
