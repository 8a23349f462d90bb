#!/usr/bin/env python3
"""Try everything that mlebench does with GPUs on a machine that has one, and say what works; exit code 1 if not all.

    python scripts/check_gpu.py [--seconds 5] [--gpu INDEX-OR-ID] [--json FILE]

Shows the inventory and each GPU's health, leases one GPU (or MIG device), sees that nobody else gets it and that the
lease of a killed runner is told from a living one's, and samples it while a process keeps it busy: with PyTorch where
that is installed, else through the driver's own library, which is there wherever a GPU works.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlebench.errors import HardwareError
from mlebench.hardware.api import Lease, Share, SharePolicy
from mlebench.hardware.health import examine_gpus
from mlebench.hardware.held import held_leases
from mlebench.hardware.inventory import Inventory, facts, hardware_line, take_inventory
from mlebench.hardware.leases import Leases
from mlebench.hardware.series import read_series
from mlebench.hardware.telemetry import Sampler

_MEGABYTE = 1024**2
LOAD_MEGABYTES = 1024


def main() -> int:
    options = _options()
    if options.load:
        return _load(options.seconds)
    if options.hold:
        return _hold(options)
    inventory = take_inventory()
    if options.json:
        options.json.write_text(json.dumps(facts(inventory), indent=2) + "\n")
    if not _show(inventory):
        return 1
    with tempfile.TemporaryDirectory() as folder:
        report = _Report()
        _check(Path(folder), options, inventory, report)
    print(f"\n{report.passed} checks passed, {report.failed} failed")
    return 1 if report.failed else 0


class _Report:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def add(self, good: bool, what: str, found: object = "") -> None:
        self.passed += good
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'}  {what}{f': {found}' if found != '' else ''}")


def _check(folder: Path, options: argparse.Namespace, inventory: Inventory, report: _Report) -> None:
    leases = folder / "leases"
    desk = _desk(options, leases)
    try:
        desk.check()
        lease = desk.take("check-gpu")
    except HardwareError as error:
        report.add(False, "a lease", error)
        return
    if lease is None:
        report.add(False, "a lease", "; ".join(desk.left_out) or "no GPU is free")
        return
    (device,) = lease.share.gpus
    report.add(True, "a lease", f"{device} ({hardware_line(lease.share, inventory)})")
    only_this = _desk(options, leases, device)
    report.add(only_this.take("somebody-else") is None, "nobody else gets the same GPU")
    _sample(folder, lease, options.seconds, report)
    lease.release()
    # The driver takes a moment to give the memory of a process that ended back.
    again = _until(lambda: only_this.take("next"), 15)
    report.add(again is not None, "it is free again, and idle, afterwards", "; ".join(only_this.left_out))
    if again is not None:
        again.release()
    _kill_a_runner(options, leases, device, report)


def _sample(folder: Path, lease: Lease, seconds: float, report: _Report) -> None:
    (device,) = lease.share.gpus
    file = folder / "telemetry.jsonl"
    load = subprocess.Popen(
        [sys.executable, __file__, "--load", "--seconds", str(seconds + 1)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": device},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert load.stdout is not None
    kind = load.stdout.readline().strip()
    with Sampler(lease.share, file, every_seconds=0.5) as sampler:
        time.sleep(seconds)
    report.add(load.wait() == 0, "a process computes on it", kind)
    told = sampler.summary()
    print(f"        {told.model_dump_json()}")
    header, lines = read_series(file)
    missing = set((header or {}).get("unavailable", ()))
    report.add(told.samples >= seconds and sampler.problem is None, "samples", sampler.problem or told.samples)
    report.add(not any("fault" in gpu for line in lines for gpu in line["gpus"]), "every sample was answered")
    expected = {"memory", "temperature"} if device.startswith("MIG-") else set()
    report.add(
        not missing & (expected or missing), "measures", f"not available: {', '.join(sorted(missing)) or 'none'}"
    )
    memory = told.memory_peak_gb or 0
    report.add(memory * 1024 >= LOAD_MEGABYTES, "the load's memory is seen", f"{memory:.2f} GB")
    if "utilisation" not in missing:
        report.add((told.utilisation_mean or 0) > 10, "the load's utilisation is seen", f"{told.utilisation_mean} %")
    if "energy" not in missing or "power" not in missing:
        watts = (told.energy_kwh or 0) * 3.6e6 / seconds
        report.add(10 < watts < 3000, "energy", f"{told.energy_kwh} kWh, {watts:.0f} W")


def _kill_a_runner(options: argparse.Namespace, leases: Path, device: str, report: _Report) -> None:
    """A runner is killed while its "container" lives on, then that ends too."""
    command = [sys.executable, __file__, "--hold", str(leases), "--gpu", device]
    runner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    report.add(runner.stdout.readline().strip() == "held", "another runner holds it")
    lives = [True]
    desk = _desk(options, leases, device, living=lambda name: lives[0])
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    report.add([held.runner_alive for held in held_leases(leases)] == [False], "its death is seen")
    report.add(desk.take("next") is None, "its GPU is not given away while its container lives")
    lives[0] = False
    time.sleep(2.1)
    report.add(_until(lambda: desk.take("next"), 15) is not None, "and is after that")


def _desk(
    options: argparse.Namespace, folder: Path, gpu: str | None = None, living: Callable[[str], bool] | None = None
) -> Leases:
    chosen = gpu or options.gpu
    policy = SharePolicy(concurrency=1, gpus_per_attempt=1, gpus=(chosen,) if chosen else ())
    return Leases(policy, living=living or (lambda name: False), folder=folder, settle_seconds=0)


def _hold(options: argparse.Namespace) -> int:
    lease = _until(lambda: _desk(options, options.hold).take("killed"), 15)
    print("held" if lease else "no lease", flush=True)
    time.sleep(60)
    return 0


def _show(inventory: Inventory) -> bool:
    print(hardware_line(Share(), inventory))
    if inventory.no_gpus is not None:
        print(f"FAILED  {inventory.no_gpus}")
        return False
    print(f"driver {inventory.driver}, CUDA up to {inventory.cuda}")
    verdicts = examine_gpus(inventory, exclusive=True)
    for gpu in inventory.gpus:
        where = f"bus {gpu.pci_bus}, NUMA node {'unknown' if gpu.numa_node is None else gpu.numa_node}"
        memory = f"{(gpu.memory_bytes or 0) / 1024**3:.1f} GB ({(gpu.used_bytes or 0) / 1024**3:.2f} in use)"
        print(f"  {gpu.title}: {gpu.uuid}, {memory}, {where}: {verdicts[gpu.index] or 'healthy'}")
        for part in gpu.mig_devices:
            print(f"    MIG {part.profile}: {part.uuid}")
    return True


def _until(attempt: Callable[[], Lease | None], seconds: float) -> Lease | None:
    end = time.monotonic() + seconds
    while (found := attempt()) is None and time.monotonic() < end:
        time.sleep(0.5)
    return found


def _load(seconds: float) -> int:
    """Keep the visible GPU busy; says with what as soon as it begins."""
    end = time.monotonic() + seconds
    try:
        import torch
    except ImportError:
        return _load_by_driver(end)
    side = 8192
    matrix = torch.ones((side, side), dtype=torch.float32, device="cuda")
    keep = torch.ones(LOAD_MEGABYTES * _MEGABYTE // 4, dtype=torch.float32, device="cuda")
    print("PyTorch, matrix products", flush=True)
    while time.monotonic() < end:
        torch.mm(matrix, matrix)
        torch.cuda.synchronize()
    del keep
    return 0


def _load_by_driver(end: float) -> int:
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        print(f"neither PyTorch nor the driver's library: {error}", flush=True)
        return 1
    device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    size = LOAD_MEGABYTES * _MEGABYTE
    for call in (
        lambda: cuda.cuInit(0),
        lambda: cuda.cuDeviceGet(ctypes.byref(device), 0),
        lambda: cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device),
        lambda: cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(size)),
    ):
        if code := call():
            print(f"the driver's library refuses with error {code}", flush=True)
            return 1
    print("the driver's library, filling memory", flush=True)
    while time.monotonic() < end:
        for _ in range(200):
            cuda.cuMemsetD32_v2(memory, ctypes.c_uint(1), ctypes.c_size_t(size // 4))
        if code := cuda.cuCtxSynchronize():
            print(f"the driver's library refuses with error {code}", flush=True)
            return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the GPU is sampled")
    parser.add_argument("--gpu", help="which: an index, a GPU's id or a MIG device's id")
    parser.add_argument("--json", type=Path, help="also write the inventory to this file")
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--hold", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
