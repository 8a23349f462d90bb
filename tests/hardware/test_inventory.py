"""What the machine has is told right in every state of driver, cards and control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_nvml import DRIVER_NOT_LOADED, GB, LIBRARY_NOT_FOUND, UNKNOWN, FakeGpu, FakeMig, cards
from hypothesis import given
from hypothesis import strategies as st

from mlebench.hardware import nvml, processors
from mlebench.hardware.api import Share
from mlebench.hardware.inventory import Inventory, facts, hardware_line, memory_share_gb, take_inventory


class TestGpus:
    def test_everything_about_a_card(self, install):
        install(*cards(2))
        found = take_inventory()
        assert found.driver == "570.86.15" and found.cuda == "12.8" and found.no_gpus is None
        first, second = found.gpus
        assert (first.index, first.uuid, first.name, first.mig) == (0, "GPU-00000000", "NVIDIA H200", False)
        assert first.memory_bytes == 143771 * 1024**2 and first.pci_bus == "0000:10:00.0" and first.fault is None
        assert second.pci_bus == "0000:11:00.0"

    def test_the_numa_node_comes_from_the_kernel(self, tmp_path: Path):
        from mlebench.hardware.inventory import _numa_node

        folder = tmp_path / "sys/bus/pci/devices/0000:10:00.0"
        folder.mkdir(parents=True)
        (folder / "numa_node").write_text("1\n")
        assert _numa_node("0000:10:00.0", tmp_path) == 1
        (folder / "numa_node").write_text("-1\n")
        assert _numa_node("0000:10:00.0", tmp_path) is None
        assert _numa_node("0000:11:00.0", tmp_path) is None

    def test_mig_devices(self, install):
        parts = [FakeMig("MIG-a", "1g.18gb"), FakeMig("MIG-b", "3g.71gb", memory=71 * GB)]
        install(FakeGpu("GPU-a", mig=parts))
        (card,) = take_inventory().gpus
        assert card.mig and [(one.uuid, one.profile) for one in card.mig_devices] == [
            ("MIG-a", "1g.18gb"),
            ("MIG-b", "3g.71gb"),
        ]
        assert card.mig_devices[1].memory_bytes == 71 * GB

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            (LIBRARY_NOT_FOUND, "no NVIDIA driver"),
            (DRIVER_NOT_LOADED, "not loaded"),
            (18, "reboot"),
            (4, "/dev/nvidia"),
        ],
    )
    def test_without_a_driver(self, install, code: int, words: str):
        install(init=code)
        found = take_inventory()
        assert found.gpus == () and found.cpus and found.no_gpus is not None and words in found.no_gpus

    def test_without_the_binding(self, monkeypatch):
        nvml.use(None)
        monkeypatch.setattr(nvml, "BINDING", "no_such_module")
        assert "nvidia-ml-py" in str(take_inventory().no_gpus)

    def test_one_broken_card_hides_no_other(self, install):
        good, lost, odd, other = cards(4)
        lost.lost = True
        odd.faults["nvmlDeviceGetMemoryInfo"] = UNKNOWN
        install(good, lost, odd, other)
        found = take_inventory().gpus
        assert [card.fault for card in found] == [
            None,
            "has fallen off the bus",
            "does not answer (Unknown Error)",
            None,
        ]
        assert found[2].uuid == "GPU-00000002" and found[3].name == "NVIDIA H200"

    def test_a_driver_that_is_loaded_anew_is_found_again(self, install):
        fake = install(*cards(1))
        assert take_inventory().gpus
        for code in (1, 9, 18):
            fake.cards[0].faults["nvmlDeviceGetName"] = code
            assert take_inventory().gpus[0].fault
            fake.cards[0].faults.clear()
            before = fake.calls["nvmlInit"]
            assert take_inventory().gpus[0].fault is None and fake.calls["nvmlInit"] == before + 1

    def test_a_driver_that_hangs_is_told(self, install, monkeypatch):
        import threading

        from mlebench.hardware import inventory

        monkeypatch.setattr(inventory, "ANSWER_SECONDS", 0.1)
        (card,) = cards(1)
        card.hang = threading.Event()
        install(card)
        found = take_inventory()
        card.hang.set()
        assert found.gpus == () and "did not answer within 0.1 s" in str(found.no_gpus)

    def test_what_an_old_driver_does_not_know_is_left_out(self, install):
        (card,) = cards(1)
        card.faults.update(nvmlDeviceGetMigMode=13, nvmlDeviceGetPciInfo=3, nvmlDeviceGetMemoryInfo=3)
        install(card)
        (found,) = take_inventory().gpus
        assert found.fault is None and found.memory_bytes is None and found.pci_bus is None and not found.mig


class TestLine:
    inventory = Inventory(cpus=tuple(range(8)), cpu_quota=4.0, memory_bytes=32 * GB)

    def test_without_gpu(self):
        assert hardware_line(Share(cpus=2, memory_gb=8), self.inventory) == "2 CPUs, 8.0 GB memory, no GPU"
        assert hardware_line(Share(cpus=1), self.inventory) == "1 CPU, 32.0 GB memory, no GPU"
        assert hardware_line(Share(), self.inventory) == "4 CPUs, 32.0 GB memory, no GPU"
        assert hardware_line(Share(cpuset="0-2,7"), self.inventory).startswith("4 CPUs")

    def test_with_gpus(self, install):
        install(*cards(2, memory=139 * GB), FakeGpu("GPU-m", mig=[FakeMig("MIG-a")]))
        found = take_inventory()
        both = Share(cpus=2, memory_gb=8, gpus=["GPU-00000000", "GPU-00000001"])
        assert hardware_line(both, found) == "2 CPUs, 8.0 GB memory, 2 x NVIDIA H200 (139 GB)"
        packed = Share(cpus=2, memory_gb=8, gpus=["GPU-00000000"], slots=[1])
        assert hardware_line(packed, found).endswith("1 x NVIDIA H200 (139 GB) shared with other attempts")
        assert hardware_line(Share(gpus=["MIG-a"]), found).endswith("1 x NVIDIA H200 MIG 1g.18gb (18 GB)")
        assert hardware_line(Share(gpus=["GPU-gone"]), found).endswith("1 x GPU-gone")

    def test_facts_are_json_and_name_nobody(self, install):
        import json

        install(*cards(1))
        text = json.dumps(facts())
        assert "NVIDIA H200" in text and "570.86.15" in text and '"cpus"' in text
        assert os.uname().nodename not in text


def group(root: Path, mounts: str, groups: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/mountinfo": mounts, "proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
V1 = (
    "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)


class TestControlGroups:
    def test_version_2_takes_the_tightest_on_the_way_up(self, tmp_path: Path):
        root = group(
            tmp_path,
            V2,
            "0::/user.slice/mine\n",
            {
                "sys/fs/cgroup/user.slice/mine/cpu.max": "max 100000",
                "sys/fs/cgroup/user.slice/cpu.max": "150000 100000",
                "sys/fs/cgroup/user.slice/mine/memory.max": "8000000000",
                "sys/fs/cgroup/user.slice/memory.max": "max",
            },
        )
        assert processors.cpu_quota(root) == 1.5 and processors.memory_limit(root) == 8_000_000_000

    def test_version_2_in_a_container_that_names_a_group_of_the_host(self, tmp_path: Path):
        mounts = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n"
        files = {"sys/fs/cgroup/cpu.max": "200000 100000", "sys/fs/cgroup/memory.max": "1000"}
        root = group(tmp_path, mounts, "0::/docker/abc\n", files)
        assert processors.cpu_quota(root) == 2.0 and processors.memory_limit(root) == 1000
        (root / "proc/self/cgroup").write_text("0::/../elsewhere\n")
        assert processors.cpu_quota(root) == 2.0

    def test_version_1(self, tmp_path: Path):
        root = group(
            tmp_path,
            V1,
            "3:cpu,cpuacct:/a\n2:memory:/a/b\n0::/\n",
            {
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "50000",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712",
                "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "5000",
            },
        )
        assert processors.cpu_quota(root) == 0.5 and processors.memory_limit(root) == 5000

    def test_no_limits_and_no_groups(self, tmp_path: Path):
        assert processors.cpu_quota(tmp_path) is None and processors.memory_limit(tmp_path) is None
        root = group(tmp_path, V2, "0::/\n", {"sys/fs/cgroup/memory.max": "max", "sys/fs/cgroup/cpu.max": "max 100000"})
        assert processors.cpu_quota(root) is None and processors.memory_limit(root) is None

    def test_nodes_and_cores(self, tmp_path: Path):
        for node, cpus in ((0, "0-1,4-5"), (1, "2-3,6-7"), (2, "")):
            (tmp_path / f"sys/devices/system/node/node{node}").mkdir(parents=True)
            (tmp_path / f"sys/devices/system/node/node{node}/cpulist").write_text(cpus + "\n")
        (tmp_path / "sys/devices/system/cpu/cpu4/topology").mkdir(parents=True)
        (tmp_path / "sys/devices/system/cpu/cpu4/topology/thread_siblings_list").write_text("0,4\n")
        assert processors.numa_nodes(tmp_path) == (
            processors.NumaNode(0, (0, 1, 4, 5)),
            processors.NumaNode(1, (2, 3, 6, 7)),
        )
        assert processors.cores((4, 5), tmp_path) == {4: 0, 5: 5}


class TestMemoryShare:
    def test_shares_add_up_to_less_than_the_machine(self) -> None:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
        limit = (processors.memory_limit() or total * GB) / GB
        alone, four = memory_share_gb(1), memory_share_gb(4)
        assert alone is not None and four is not None
        assert 0.8 * min(total, limit) < alone < total
        assert abs(4 * four - alone) < 0.3

    def test_a_control_group_counts(self) -> None:
        assert memory_share_gb(2, Inventory(cpus=(0,), memory_bytes=10 * GB)) == 4.5
        assert memory_share_gb(2, Inventory(cpus=(0,))) is None


@given(st.sets(st.integers(0, 300)))
def test_cpusets_are_read_as_written(cpus: set[int]):
    assert set(processors.parse_cpuset(processors.format_cpuset(tuple(cpus)))) == cpus


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "0x3"])
def test_what_is_no_cpuset(text: str):
    assert processors.parse_cpuset(text) == ()


def test_bytes_of_old_bindings_are_text():
    assert nvml.text(b"NVIDIA") == "NVIDIA" and nvml.text("NVIDIA") == "NVIDIA" and nvml.text(None) is None
