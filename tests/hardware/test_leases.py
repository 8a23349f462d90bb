"""Leases within one runner: who gets what, and what is refused."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fake_nvml import GB, FakeGpu, FakeMig, cards
from leases_kit import desk

from mlebench.errors import HardwareError
from mlebench.hardware import ledger
from mlebench.hardware.api import Share
from mlebench.hardware.held import held_leases
from mlebench.hardware.inventory import Gpu, Inventory
from mlebench.hardware.leases import Leases


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
