"""Broken, hot and busy GPUs are told from healthy ones, in sentences; one that hangs holds nobody up."""

from __future__ import annotations

import threading
import time

import pytest
from fake_nvml import GB, UNKNOWN, FakeGpu, FakeMig, cards

from mlebench.hardware.health import Health, complaint, examine_gpus
from mlebench.hardware.inventory import take_inventory


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"rows": (0, 1, 0, 1)}, "has to be exchanged"),
        ({"rows": (0, 1, 1, 0)}, "wait for a reset"),
        ({"rows": (5, 2, 0, 0)}, None),
        ({"retired_pending": 1}, "wait for a reboot"),
        ({"ecc": 1}, "1 uncorrected memory error since"),
        ({"ecc": 3}, "3 uncorrected memory errors"),
        ({"temperature": 91}, None),
        ({"temperature": 92}, "too hot: 92 °C, it slows down at 92 °C"),
        ({"temperature": 92, "slowdown": None}, None),
        ({"used": GB}, None),
        ({"used": 3 * GB}, "used by somebody else: 3.0 GB"),
        ({"reserved": 3 * GB}, None),
        ({"lost": True}, "fallen off the bus"),
        ({"faults": {"nvmlDeviceGetTemperature": UNKNOWN}}, "does not answer (Unknown Error)"),
        ({"faults": {"nvmlDeviceGetTemperature": 16}}, "needs a reset"),
        ({"faults": {"nvmlDeviceGetRemappedRows": 3, "nvmlDeviceGetTotalEccErrors": 3}}, None),
    ],
)
def test_verdicts(install, change: dict, words: str | None):
    install(*cards(1, **change))
    said = complaint("GPU-00000000")
    assert (said is None) if words is None else (said is not None and words in said)


def test_a_shared_gpu_may_be_in_use(install):
    install(*cards(1, used=30 * GB))
    assert complaint("GPU-00000000", exclusive=False) is None


def test_a_mig_device_shares_the_health_of_its_card_but_not_its_memory(install):
    busy, free = FakeMig("MIG-a", used=9 * GB), FakeMig("MIG-b")
    card = FakeGpu("GPU-a", mig=[busy, free], used=9 * GB)
    install(card)
    assert "somebody else" in str(complaint("MIG-a")) and complaint("MIG-b") is None
    card.rows = (0, 0, 0, 1)
    assert "exchanged" in str(complaint("MIG-b"))


def test_gone_and_no_driver(install):
    assert "no NVIDIA driver" in str(complaint("GPU-x"))
    install()
    assert complaint("GPU-x") == "is not on this machine any more"


def test_all_gpus_for_the_doctor(install):
    good, bad = cards(2)
    bad.lost = True
    install(good, bad)
    assert examine_gpus(take_inventory()) == {0: None, 1: "has fallen off the bus"}


class TestHealth:
    def test_a_gpu_that_hangs_is_told_in_time_and_asked_once(self, install):
        (card,) = cards(1)
        card.hang = threading.Event()
        install(card)
        health = Health(answer_seconds=0.15)
        began, before = time.monotonic(), threading.active_count()
        for _ in range(3):
            assert health.complaint(card.uuid, exclusive=True) == "did not answer within 0.15 s"
        assert time.monotonic() - began < 20 and threading.active_count() == before + 1
        card.hang.set()

    def test_it_is_well_again_once_it_answers(self, install):
        (card,) = cards(1)
        card.hang = threading.Event()
        install(card)
        health = Health(answer_seconds=0.1)
        assert health.complaint(card.uuid, exclusive=True)
        card.hang.set()
        health = Health(answer_seconds=5, fresh_seconds=0)
        assert health.complaint(card.uuid, exclusive=True) is None

    def test_verdicts_are_kept_a_while_and_forgotten_on_demand(self, install):
        (card,) = cards(1)
        fake = install(card)
        health = Health(fresh_seconds=60)
        assert health.complaint(card.uuid, exclusive=True) is None
        asked = fake.calls["nvmlDeviceGetHandleByUUID"]
        card.used = 9 * GB
        assert health.complaint(card.uuid, exclusive=True) is None
        assert fake.calls["nvmlDeviceGetHandleByUUID"] == asked
        health.forget(card.uuid)
        assert "somebody else" in str(health.complaint(card.uuid, exclusive=True))

    def test_an_unexpected_error_is_a_complaint(self):
        def broken(device: str, exclusive: bool) -> str | None:
            raise KeyError("x")

        assert "KeyError" in str(Health(broken).complaint("GPU-x", exclusive=True))
