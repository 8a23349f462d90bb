"""Leases: who gets what, what is refused, what survives the death of a runner, and that nobody ever shares by mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fake_nvml import GB, FakeGpu, FakeMig, cards, until

from mlebench.errors import HardwareError
from mlebench.hardware import ledger
from mlebench.hardware.api import Share, SharePolicy
from mlebench.hardware.held import held_leases
from mlebench.hardware.inventory import Gpu, Inventory
from mlebench.hardware.leases import Leases

RUNNER = Path(__file__).parent / "runner.py"


def desk(policy: dict[str, Any] | None = None, living: Any = lambda name: False, **options: Any) -> Leases:
    return Leases(
        SharePolicy(**{"concurrency": 4, "gpus_per_attempt": 1, **(policy or {})}),
        living=living,
        **{"settle_seconds": 0.0, **options},
    )


class TestTaking:
    def test_gpus_go_to_one_attempt_each_until_none_is_left(self, install):
        install(*cards(2))
        here = desk()
        here.check()
        first, second = here.take("a"), here.take("b")
        assert first and second and here.take("c") is None
        assert {*first.share.gpus, *second.share.gpus} == {"GPU-00000000", "GPU-00000001"}
        assert first.share.slots == [] and first.share.cpuset is None
        first.release()
        first.release()
        third = here.take("c")
        assert third and third.share.gpus == first.share.gpus

    def test_an_owner_that_asks_again_gets_what_it_has(self, install):
        install(*cards(2))
        here = desk()
        first = here.take("a")
        assert first is not None and here.take("a") is first and len(held_leases()) == 1

    def test_several_per_attempt_come_from_one_numa_node(self):
        gpus = tuple(Gpu(index=n, uuid=f"GPU-{n}", numa_node=node) for n, node in enumerate([0, 1, 1, 0, 1, 1]))
        here = desk({"gpus_per_attempt": 2}, inventory=Inventory(cpus=(0,), gpus=gpus), health=Sound())
        shares = [here.take(name) for name in "abcd"]
        assert [one.share.gpus for one in shares if one] == [["GPU-0", "GPU-3"], ["GPU-1", "GPU-2"], ["GPU-4", "GPU-5"]]
        assert shares[3] is None

    def test_packed_gpus_are_filled_evenly(self, install):
        install(*cards(2))
        here = desk({"attempts_per_gpu": 2})
        here.check()
        leases = [here.take(name) for name in "abcde"]
        assert leases[4] is None
        places = [(lease.share.gpus[0][-1], lease.share.slots[0]) for lease in leases if lease]
        assert places == [("0", 0), ("1", 0), ("0", 1), ("1", 1)]
        leases[1].release()  # type: ignore[union-attr]
        again = here.take("e")
        assert again and (again.share.gpus, again.share.slots) == (["GPU-00000001"], [0])

    def test_alone_and_packed_do_not_mix(self, install):
        install(*cards(1))
        alone, packed, tighter = desk(), desk({"attempts_per_gpu": 3}), desk({"attempts_per_gpu": 2})
        one = packed.take("a")
        assert one and alone.take("b") is None
        two = tighter.take("c")
        assert two and two.share.slots == [1] and packed.take("d") is None, "two is the smallest number"
        one.release()
        two.release()
        assert alone.take("b") and packed.take("a") is None

    def test_mig_devices_are_leased_in_place_of_their_gpu(self, install):
        install(FakeGpu("GPU-a", mig=[FakeMig("MIG-1"), FakeMig("MIG-2")]), *cards(1))
        here = desk()
        got = [lease.share.gpus for name in "abcd" if (lease := here.take(name))]
        assert got == [["MIG-1"], ["MIG-2"], ["GPU-00000000"]]

    @pytest.mark.parametrize(
        ("names", "ids"),
        [
            (("1",), ["GPU-00000001"]),
            (("GPU-00000002", "0"), ["GPU-00000000", "GPU-00000002"]),
            (("GPU-00000002", "2"), ["GPU-00000002"]),
            (("MIG-2",), ["MIG-2"]),
            (("3:1",), ["MIG-2"]),
            (("3",), ["MIG-1", "MIG-2"]),
            (("GPU-m",), ["MIG-1", "MIG-2"]),
            (("GPU-mi",), ["MIG-1", "MIG-2"]),
        ],
    )
    def test_gpus_by_name(self, install, names, ids):
        install(*cards(3), FakeGpu("GPU-mig", mig=[FakeMig("MIG-1"), FakeMig("MIG-2")]))
        here = desk({"gpus": names})
        assert [lease.share.gpus[0] for name in "abcdef" if (lease := here.take(name))] == ids

    def test_what_cuda_may_see_is_all_there_is(self, install, monkeypatch):
        install(*cards(3))
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
        here = desk()
        assert [lease.share.gpus[0] for name in "ab" if (lease := here.take(name))] == ["GPU-00000001"]
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
        with pytest.raises(HardwareError, match="hides every GPU"):
            desk().check()

    def test_without_gpus_nothing_is_kept_or_asked(self, install, tmp_path: Path):
        fake = install(*cards(1))
        here = desk({"gpus_per_attempt": 0, "memory_gb": 2.0, "cpus": 1.5}, inventory=Inventory(cpus=(0, 1)))
        here.check()
        shares = [here.take(f"a{n}") for n in range(200)]
        assert all(one and one.share == Share(cpus=1.5, memory_gb=2.0) for one in shares)
        assert not (tmp_path / "leases").exists() and not fake.calls

    def test_memory_is_shared_equally(self):
        here = desk({"gpus_per_attempt": 0}, inventory=Inventory(cpus=(0,), memory_bytes=10 * GB))
        lease = here.take("a")
        assert lease and lease.share.memory_gb == 2.2

    def test_threads_never_share(self, install):
        install(*cards(5))
        here, got, lock = desk(), Counter[str](), threading.Lock()
        problems: list[object] = []

        def work(name: str) -> None:
            for turn in range(15):
                lease = here.take(f"{name}-{turn}")
                if lease is None:
                    time.sleep(0.001)
                    continue
                (gpu,) = lease.share.gpus
                with lock:
                    got[gpu] += 1
                    if got[gpu] > 1:
                        problems.append((name, turn, gpu))
                time.sleep(0.001)
                with lock:
                    got[gpu] -= 1
                lease.release()

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems and held_leases() == []


class Sound:
    """Every GPU is well."""

    def complaint(self, device: str, *, exclusive: bool) -> None:
        return None

    def forget(self, device: str) -> None:
        return None


class TestProcessors:
    inventory = Inventory(
        cpus=tuple(range(8)),
        numa={0: (0, 1, 2, 3), 1: (4, 5, 6, 7)},
        gpus=(Gpu(index=0, uuid="GPU-0", numa_node=1), Gpu(index=1, uuid="GPU-1", numa_node=0)),
    )

    def pinned(self, **options: Any) -> Leases:
        return desk({"pin_cpus": True, "concurrency": 2, **options}, inventory=self.inventory, health=Sound())

    def test_near_their_gpu(self):
        here = self.pinned()
        here.check()
        sets = [lease.share.cpuset for name in "ab" if (lease := here.take(name))]
        assert sets == ["4-7", "0-3"]

    def test_disjoint_among_runners(self):
        one, two = self.pinned(gpus_per_attempt=0, cpus=3), self.pinned(gpus_per_attempt=0, cpus=2.5)
        a, b = one.take("a"), two.take("b")
        assert a and b and (a.share.cpuset, b.share.cpuset) == ("0-2", "4-6")
        assert b.share.cpus == 2.5 and one.take("c") is None
        a.release()
        c = two.take("c")
        assert c and c.share.cpuset == "0-2"

    def test_more_than_there_are(self):
        with pytest.raises(HardwareError, match="9 at a time with 1 each do not fit on 8"):
            self.pinned(concurrency=9).check()
        with pytest.raises(HardwareError, match="2 at a time with 5 each"):
            self.pinned(cpus=4.5).check()

    def test_a_quota_counts(self):
        here = desk(
            {"pin_cpus": True, "concurrency": 2, "gpus_per_attempt": 0},
            inventory=Inventory(cpus=tuple(range(64)), cpu_quota=4.5),
        )
        lease = here.take("a")
        assert lease and lease.share.cpuset == "0-1"


class TestRefusing:
    def refusal(self, policy: dict[str, Any]) -> str:
        with pytest.raises(HardwareError) as caught:
            desk(policy).check()
        said = str(caught.value)
        assert said.endswith(".") and "\n" not in said
        return said

    def test_no_driver(self):
        assert "no NVIDIA driver" in self.refusal({})

    def test_more_than_there_are(self, install):
        install(*cards(2))
        assert "asks for 3 GPUs, and only 2 can be used" in self.refusal({"gpus_per_attempt": 3})

    def test_broken_ones_do_not_count(self, install):
        good, lost, ill = cards(3)
        lost.lost, ill.rows = True, (0, 0, 0, 1)
        install(good, lost, ill)
        said = self.refusal({"gpus_per_attempt": 2})
        assert "only 1 can be used" in said and "GPU 1 (unknown GPU) has fallen off the bus" in said
        assert "GPU 2 (NVIDIA H200) has broken memory" in said

    def test_no_card_at_all(self, install):
        install()
        assert "asks for 1 GPU, and none can be used" in self.refusal({})

    def test_mig_without_devices(self, install):
        install(FakeGpu("GPU-a", mig=[]))
        assert "in MIG mode without a device" in self.refusal({})

    def test_unknown_names(self, install):
        install(*cards(2))
        assert "no GPU '7' here" in self.refusal({"gpus": ("7",)})

    def test_several_that_are_shared(self, install):
        install(*cards(2))
        assert "exactly one GPU" in self.refusal({"gpus_per_attempt": 2, "attempts_per_gpu": 2})

    def test_busy_ones_are_waited_for_and_named(self, install):
        busy, free = cards(2)
        busy.used = 5 * GB
        install(busy, free)
        here = desk()
        here.check()
        lease = here.take("a")
        assert lease and lease.share.gpus == [free.uuid] and here.take("b") is None
        assert here.left_out == ["GPU 0 (NVIDIA H200) is used by somebody else: 5.0 GB of its memory are taken."]

    def test_what_is_waited_for_is_told_unless_it_is_ones_own(self, install):
        first, busy = cards(2)
        install(first, busy)
        here, other = desk(), desk()
        assert here.take("a") and here.take("b") and here.take("c") is None and here.waiting_for() == ""
        assert other.take("d") is None and other.waiting_for() == "other runs hold what was asked for (a, b)"
        busy.used = 5 * GB
        here = desk({"gpus": ("1",)}, folder=Path(str(ledger.default_folder()) + "2"))
        assert here.take("e") is None
        assert here.waiting_for() == "GPU 1 (NVIDIA H200) is used by somebody else: 5.0 GB of its memory are taken"

    def test_one_that_breaks_during_the_run_is_left_out_and_comes_back(self, install):
        from mlebench.hardware.health import Health

        one, two = cards(2)
        install(one, two)
        here = desk(health=Health(fresh_seconds=0))
        here.check()
        one.lost = True
        lease = here.take("a")
        assert lease and lease.share.gpus == [two.uuid] and "fallen off the bus" in here.left_out[0]
        one.lost = False
        assert here.take("b") and here.left_out == []

    def test_a_folder_that_cannot_be(self, install, tmp_path: Path):
        install(*cards(1))
        (tmp_path / "file").write_text("")
        with pytest.raises(HardwareError, match="MLEBENCH_LEASES_DIR"):
            desk(folder=tmp_path / "file" / "leases").check()


class Runner:
    """A process that holds leases."""

    def __init__(self, root: Path, count: int = 1, settle: float = 0.0, **policy: Any) -> None:
        self.living = root / "living"
        self.living.mkdir(exist_ok=True)
        self.folder = root / "leases"
        facts = {"cards": count, "living": str(self.living), "folder": str(self.folder), "settle": settle}
        facts["policy"] = {"concurrency": 4, "gpus_per_attempt": 1, **policy}
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER), json.dumps(facts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line: str) -> dict[str, Any] | None:
        assert self.process.stdin and self.process.stdout
        print(line, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


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


class TestLedger:
    def test_a_lease_that_was_renewed_meanwhile_is_not_removed(self, tmp_path: Path, monkeypatch):
        book = ledger.Ledger(tmp_path)
        monkeypatch.setattr(ledger, "_runs", lambda record: False)
        with book.locked():
            ledger.close_lease(book.write(self.record()))
            (old,) = book.entries()
            file = book.write(self.record())
            book.remove(old)
            assert [entry.alive for entry in book.entries()] == [True]
            ledger.close_lease(file)
            book.remove(old)
            (new,) = book.entries()
            book.remove(new)
            assert book.entries() == []

    def record(self, owner: str = "a") -> ledger.Record:
        return ledger.new_record(owner, (ledger.Hold(device="GPU-1"),), None)

    def test_what_is_no_lease_is_passed_over(self, tmp_path: Path):
        book = ledger.Ledger(tmp_path)
        (tmp_path / "x.lease").write_text('{"owner": ')
        (tmp_path / "y.lease").symlink_to("/etc/passwd")
        os.mkfifo(tmp_path / "z.lease")
        (tmp_path / "big.lease").write_text("x" * 100_000)
        (tmp_path / "a.lease.0.tmp").write_text("left by a killed runner")
        with book.locked():
            assert book.entries() == []
        assert not (tmp_path / "a.lease.0.tmp").exists()

    def test_odd_names(self, tmp_path: Path):
        book = ledger.Ledger(tmp_path)
        for owner in ("../../etc/x", "a/b", ".hidden", "x" * 300, "name\nwith newline"):
            with book.locked():
                file = book.write(self.record(owner))
                assert owner in [entry.record.owner for entry in book.entries()]
            assert all(path.parent == tmp_path for path in tmp_path.iterdir())
            ledger.close_lease(file)

    def test_a_pid_that_was_given_to_another_process_is_not_the_runner(self, tmp_path: Path):
        book = ledger.Ledger(tmp_path)
        with book.locked():
            ledger.close_lease(book.write(self.record().model_copy(update={"start": "12345"})))
            assert [entry.alive for entry in book.entries()] == [False]
            ledger.close_lease(book.write(self.record()))
            assert [entry.alive for entry in book.entries()] == [True], "our own process"
            ledger.close_lease(book.write(self.record().model_copy(update={"boot": "another"})))
            assert [entry.alive for entry in book.entries()] == [False]

    def test_a_folder_of_somebody_else_is_refused(self, tmp_path: Path, monkeypatch):
        monkeypatch.delenv("MLEBENCH_LEASES_DIR")
        folder = tmp_path / "mlebench" / "leases"
        monkeypatch.setattr(ledger, "default_folder", lambda: folder)
        with ledger.Ledger().locked():
            pass
        folder.parent.chmod(0o777)
        with pytest.raises(HardwareError, match="only this user can write"), ledger.Ledger().locked():
            pass

    def test_the_lock_survives_tidying(self, tmp_path: Path):
        book, order = ledger.Ledger(tmp_path), []
        with book.locked():
            waiting = threading.Thread(target=lambda: self._enter(book, order))
            waiting.start()
            time.sleep(0.1)
            (tmp_path / "lock").unlink()  # the waiting one holds a file that is no longer there
            order.append("first")
        waiting.join()
        assert order == ["first", "second"] and (tmp_path / "lock").exists()

    def _enter(self, book: ledger.Ledger, order: list[str]) -> None:
        with book.locked():
            order.append("second")

    def test_a_lock_that_cannot_be_tried_frees_nothing(self, tmp_path: Path, monkeypatch):
        book = ledger.Ledger(tmp_path)
        with book.locked():
            ledger.close_lease(book.write(self.record().model_copy(update={"start": "12345"})))

            def refuse(file: int, how: int) -> None:
                raise OSError(9, "Bad file descriptor")

            monkeypatch.setattr(ledger.fcntl, "flock", refuse)
            assert [entry.alive for entry in book.entries()] == [True]

    def test_a_full_disk_gives_no_lease(self, tmp_path: Path, monkeypatch):
        book = ledger.Ledger(tmp_path)
        monkeypatch.setattr(os, "write", lambda file, content: 10)
        with book.locked(), pytest.raises(HardwareError, match="No space left"):
            book.write(self.record())
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_an_engine_that_does_not_answer_ends_no_lease(install, tmp_path: Path):
    install(*cards(1))

    def broken(name: str) -> bool:
        raise OSError("no engine")

    with Runner(tmp_path) as first:
        assert first.ask("take a")
    assert desk(living=broken, folder=tmp_path / "leases").take("b") is None


def test_anothers_lease_that_cannot_be_removed_is_passed_over(install, tmp_path: Path, monkeypatch):
    install(*cards(1))
    with Runner(tmp_path) as first:
        assert first.ask("take a")
    monkeypatch.setattr(ledger, "_try_unlink", lambda path: None)
    here = desk(folder=tmp_path / "leases")
    here.take("b")  # notices that it is dead
    assert here.take("b") is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")
def test_users_of_one_folder_respect_each_other(install, tmp_path_factory, monkeypatch):
    """A folder like /tmp: everybody writes, nobody removes what is another's."""
    install(*cards(3))
    folder = Path("/tmp") / f"mlebench-test-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o1777)
    try:
        mine = desk(folder=folder).take("root's")
        assert mine is not None

        def as_user(number: int, name: str, end: bool) -> list[str]:
            """What another user gets; the process then ends without giving it back, or gives it back."""
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.umask(0o077)
                os.setgid(number)
                os.setuid(number)
                here = desk(folder=folder)
                here.take(name)  # notices leases that are over
                lease = here.take(name)
                os.write(writing, json.dumps(lease.share.gpus if lease else []).encode())
                if end and lease:
                    lease.release()
                os._exit(0)
            os.close(writing)
            os.waitpid(child, 0)
            with os.fdopen(reading) as file:
                return json.loads(file.read())

        first = as_user(65534, "one", end=True)
        assert first and first != mine.share.gpus
        assert as_user(65534, "two", end=False) == first
        (dead,) = [held for held in held_leases(folder) if not held.runner_alive]
        assert dead.owner == "two" and dead.user == 65534
        third = as_user(65533, "three", end=False)
        assert third == first, "a third user may not remove the second's dead lease, and passes over it"
        assert sorted(held.owner for held in held_leases(folder)) == ["root's", "three", "two"]
        mine.release()
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
