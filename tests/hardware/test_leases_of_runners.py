"""Leases among runners: what survives the death of one, and that nobody ever shares by mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fake_nvml import GB, cards, until
from leases_kit import RUNNER, Runner, desk

from mlebench.hardware.held import held_leases


class TestProcesses:
    def test_a_killed_runner_keeps_its_gpu_while_its_container_lives(self, tmp_path: Path):
        with Runner(tmp_path) as first, Runner(tmp_path) as second:
            assert first.ask("take a") is not None
            (first.living / "a").touch()
            assert second.ask("take b") is None
            first.kill()
            assert second.ask("take b") is None, "the container still uses the GPU"
            (held,) = held_leases(first.folder)
            assert held.owner == "a" and not held.runner_alive and held.pid == first.process.pid
            (first.living / "a").unlink()
            time.sleep(2.1)  # "it lives" is believed for two seconds
            got = second.ask("take b")
            assert got is not None and got["gpus"] == ["GPU-00000000"]

    def test_a_killed_runner_without_container_gives_up_after_a_while(self, tmp_path: Path):
        with Runner(tmp_path) as first, Runner(tmp_path, settle=0.5) as second:
            assert first.ask("take a") is not None
            first.kill()
            assert second.ask("take b") is None, "the engine may be starting the container just now"
            time.sleep(0.6)
            assert second.ask("take b") is not None

    def test_a_resumed_runner_adopts(self, tmp_path: Path):
        with Runner(tmp_path, count=2, attempts_per_gpu=2) as first:
            share = first.ask("take a")
            assert share is not None
        with (
            Runner(tmp_path, count=2, attempts_per_gpu=2) as resumed,
            Runner(tmp_path, count=2, attempts_per_gpu=2) as other,
        ):
            assert resumed.ask(f"adopt a {json.dumps(share)}") == share
            assert all(held.runner_alive for held in held_leases(resumed.folder))
            places = [(got["gpus"][0], got["slots"][0]) for n in range(4) if (got := other.ask(f"take b{n}"))]
            assert len(places) == 3 and (share["gpus"][0], share["slots"][0]) not in places
            resumed.ask("release a")
            assert other.ask("take b9") is not None

    def test_the_same_owner_of_a_resumed_run_gets_its_gpu_at_once(self, tmp_path: Path):
        with Runner(tmp_path, count=2) as first:
            first.ask("take other")
            share = first.ask("take a")
        with Runner(tmp_path, count=2, settle=60) as resumed:
            assert share is not None and resumed.ask("take a") == share

    def test_runners_that_race_and_are_killed_never_share(self, tmp_path: Path):
        """Six runners take and release three GPUs as fast as they can; some are killed while their container lives on."""
        script = (
            "import sys,time,random,os\nfrom pathlib import Path\nsys.path.insert(0,sys.argv[1])\n"
            "from fake_nvml import FakeNvml,cards\nfrom mlebench.hardware import nvml\n"
            "from mlebench.hardware.api import SharePolicy\nfrom mlebench.hardware.leases import Leases\n"
            "nvml.use(FakeNvml(*cards(3)))\nroot=Path(sys.argv[2])\nme=sys.argv[3]\n"
            "desk=Leases(SharePolicy(concurrency=1,gpus_per_attempt=1),living=lambda n:(root/'living'/n).exists(),"
            "folder=root/'leases',settle_seconds=0.2)\nend=time.monotonic()+float(sys.argv[4])\nturn=0\n"
            "while time.monotonic()<end:\n turn+=1\n name=f'{me}-{turn}'\n"
            " (root/'living'/name).touch()\n"  # the container is there before the lease, and longer than it
            " lease=desk.take(name)\n"
            " if lease:\n"
            "  gpu=root/'use'/lease.share.gpus[0]\n"
            "  (root/'held'/name).write_text(gpu.name)\n"
            "  try:\n   gpu.mkdir()\n"  # fails when somebody else is on it
            "  except FileExistsError:\n   (root/'clash').write_text(name)\n   os._exit(3)\n"
            "  time.sleep(random.random()*0.01)\n  gpu.rmdir()\n  (root/'held'/name).unlink()\n  lease.release()\n"
            " (root/'living'/name).unlink()\n"
        )
        for name in ("living", "use", "held"):
            (tmp_path / name).mkdir()
        here = str(Path(__file__).parent)
        start = [sys.executable, "-c", script, here, str(tmp_path)]
        runners = [subprocess.Popen([*start, f"r{n}", "4"]) for n in range(6)]
        time.sleep(2.0)
        for victim in runners[:2]:
            victim.kill()
            victim.wait()
        time.sleep(0.5)
        # Their containers end only now: what they used becomes free, and must not have been taken before.
        for name in [path for path in (tmp_path / "held").iterdir() if path.name[:2] in ("r0", "r1")]:
            gpu = name.read_text()
            name.unlink()
            if gpu and (tmp_path / "use" / gpu).exists():
                (tmp_path / "use" / gpu).rmdir()
        for path in [path for path in (tmp_path / "living").iterdir() if path.name[:2] in ("r0", "r1")]:
            path.unlink()
        codes = [runner.wait() for runner in runners[2:]]
        assert not (tmp_path / "clash").exists() and codes == [0] * 4
        assert [held.owner for held in held_leases(tmp_path / "leases") if held.runner_alive] == []

    def test_a_forked_child_neither_keeps_nor_ends_a_lease(self, install, tmp_path: Path):
        install(*cards(1))
        here = desk(folder=tmp_path / "leases")
        lease = here.take("a")
        assert lease is not None
        child = os.fork()
        if child == 0:
            lease.release()
            time.sleep(30)
            os._exit(0)
        try:
            time.sleep(0.2)
            assert [held.runner_alive for held in held_leases(tmp_path / "leases")] == [True]
            lease.release()
            assert held_leases(tmp_path / "leases") == []
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def test_a_child_that_outlives_its_runner_does_not_keep_the_lease(self, tmp_path: Path):
        script = (
            "import os,sys,time\nsys.path.insert(0,sys.argv[1])\nfrom fake_nvml import FakeNvml,cards\n"
            "from mlebench.hardware import nvml\nfrom mlebench.hardware.api import SharePolicy\n"
            "from mlebench.hardware.leases import Leases\nnvml.use(FakeNvml(*cards(1)))\n"
            "lease=Leases(SharePolicy(concurrency=1,gpus_per_attempt=1),living=lambda n:False).take('a')\n"
            "child=os.fork()\nif child==0:\n time.sleep(60)\n os._exit(0)\nprint(child,flush=True)\ntime.sleep(60)\n"
        )
        runner = subprocess.Popen([sys.executable, "-c", script, str(RUNNER.parent)], stdout=subprocess.PIPE, text=True)
        assert runner.stdout is not None
        child = int(runner.stdout.readline())
        try:
            assert [held.runner_alive for held in held_leases()] == [True]
            runner.kill()
            runner.wait()
            until(lambda: [held.runner_alive for held in held_leases()] == [False])  # once the child got to run
        finally:
            os.kill(child, signal.SIGKILL)
            runner.stdout.close()

    def test_what_somebody_took_over_is_not_released_by_the_first(self, install):
        install(*cards(1))
        one, two = desk(), desk()
        first = one.take("a")
        assert first is not None
        second = two.adopt("a", first.share)
        first.release()
        assert [held.owner for held in held_leases()] == ["a"] and desk().take("b") is None
        second.release()
        assert held_leases() == []

    def test_an_orphan_of_ones_own_does_not_look_like_somebody_else(self, install, tmp_path: Path):
        """Killed between the start of its container and noting it: the attempt is queued, its container computes."""
        busy, other = cards(2)
        install(busy, other)
        with Runner(tmp_path) as first:
            share = first.ask("take a")
        assert share is not None and share["gpus"] == [busy.uuid]
        busy.used = 50 * GB
        here = desk(folder=tmp_path / "leases", living=lambda name: True)
        lease = here.take("a")
        assert lease and lease.share.gpus == [busy.uuid]
        assert here.take("b").share.gpus == [other.uuid]  # type: ignore[union-attr]
