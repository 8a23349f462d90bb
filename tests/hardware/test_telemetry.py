"""What GPUs did is sampled by one thread, added up exactly, bounded in size, and survives the runner."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_nvml import GB, FakeGpu, FakeMig, cards, until
from hypothesis import given, settings
from hypothesis import strategies as st

from mlebench.hardware import telemetry
from mlebench.hardware.api import Share, Telemetry
from mlebench.hardware.series import Series, Totals, merge, read_series, summarise, telemetry_of
from mlebench.hardware.telemetry import Sampler, _joules, read_device


def sampler(path: Path, *gpus: str, **options: Any) -> Sampler:
    return Sampler(Share(gpus=list(gpus), **options), path / "telemetry.jsonl", every_seconds=0.01)


def lines(path: Path) -> list[dict[str, Any]]:
    return read_series(path / "telemetry.jsonl")[1]


class TestSampler:
    def test_a_run_from_start_to_stop(self, install, tmp_path: Path):
        card, other = cards(2, utilisation=80, used=10 * GB, power=500_000, energy=5_000_000)
        install(card, other)
        sampling = sampler(tmp_path, card.uuid, other.uuid).start()
        until(lambda: sampling.summary().samples >= 3)
        card.energy += 7_200_000_000  # 2 kWh
        other.energy += 1_800_000_000  # 0.5 kWh
        card.used = 20 * GB
        sampling.stop()
        sampling.stop()
        found = sampling.summary()
        assert found.gpus == ["NVIDIA H200"] * 2 and found.driver == "570.86.15" and not found.shared
        assert found.utilisation_mean == 80 and found.memory_peak_gb == 30 and found.energy_kwh == 2.5
        assert telemetry_of(tmp_path / "telemetry.jsonl") == found
        last = lines(tmp_path)[-1]["gpus"][0]
        assert last["power"] == 500.0 and last["temperature"] == 35 and last["energy"] == 7_205_000.0

    def test_without_gpus_nothing_happens(self, install, tmp_path: Path):
        fake = install(*cards(1))
        threads = threading.active_count()
        many = [sampler(tmp_path / str(number)).start() for number in range(200)]
        assert threading.active_count() == threads and not fake.calls and not list(tmp_path.iterdir())
        for one in many:
            one.stop()
        assert many[0].summary() == Telemetry()

    def test_one_thread_for_all_which_ends_with_the_last(self, install, tmp_path: Path):
        install(*cards(4))
        many = [sampler(tmp_path / str(number), f"GPU-0000000{number % 4}").start() for number in range(12)]
        until(lambda: all(one.summary().samples >= 2 for one in many))
        assert sum(thread.name == "telemetry" for thread in threading.enumerate()) == 1
        for one in many:
            one.stop()
        until(lambda: not any(thread.name == "telemetry" for thread in threading.enumerate()))
        again = sampler(tmp_path / "again", "GPU-00000000").start()
        until(lambda: again.summary().samples >= 1)
        again.stop()

    def test_a_shared_gpu_is_asked_once_for_all(self, install, tmp_path: Path, monkeypatch):
        fake = install(*cards(1))
        many = [sampler(tmp_path / str(n), "GPU-00000000", slots=[n]) for n in range(8)]
        for one in many:
            one.every_seconds = 0.05
            one.start()
        until(lambda: all(one.summary().samples >= 6 for one in many))
        for one in many:
            one.stop()
        assert all(one.summary().shared for one in many)
        samples = sum(one.summary().samples for one in many)
        assert fake.calls["nvmlDeviceGetUtilizationRates"] < samples / 2

    def test_a_mig_device_says_what_is_not_available(self, install, tmp_path: Path):
        part = FakeMig("MIG-a", used=3 * GB)
        install(FakeGpu("GPU-a", mig=[part], temperature=50))
        with sampler(tmp_path, "MIG-a") as sampling:
            until(lambda: sampling.summary().samples >= 2)
        found = sampling.summary()
        assert found.memory_peak_gb == 3 and found.utilisation_mean is None and found.energy_kwh is None
        assert found.gpus == ["NVIDIA H200 MIG 1g.18gb"]
        header = read_series(tmp_path / "telemetry.jsonl")[0]
        assert header and header["unavailable"] == ["utilisation", "power", "energy"]
        assert lines(tmp_path)[0]["gpus"][0]["temperature"] == 50

    def test_a_gpu_that_breaks_is_written_down_and_ends_nothing(self, install, tmp_path: Path):
        good, bad = cards(2, utilisation=50)
        install(good, bad)
        with sampler(tmp_path, good.uuid, bad.uuid) as sampling:
            until(lambda: sampling.summary().samples >= 2)
            bad.lost = True
            count = sampling.summary().samples
            until(lambda: sampling.summary().samples >= count + 3)
        last = lines(tmp_path)[-1]["gpus"]
        assert last[1]["fault"] == "has fallen off the bus" and last[1]["utilisation"] is None
        assert last[0]["utilisation"] == 50 and sampling.summary().utilisation_mean == 50

    def test_a_gpu_that_hangs_spoils_no_others_samples(self, install, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(telemetry, "ANSWER_SECONDS", 0.1)
        hung, good = cards(2, utilisation=40)
        install(hung, good)
        one, two = sampler(tmp_path / "1", hung.uuid).start(), sampler(tmp_path / "2", good.uuid).start()
        until(lambda: one.summary().samples >= 1 and two.summary().samples >= 1)
        hung.hang = threading.Event()
        threads, count = threading.active_count(), two.summary().samples
        until(lambda: two.summary().samples >= count + 5)
        assert threading.active_count() <= threads + 2, "it is asked once"
        hung.energy += 3_600_000_000
        hung.hang.set()
        hung.hang = None
        count = one.summary().samples
        until(lambda: one.summary().samples >= count + 3)
        one.stop()
        two.stop()
        faults = [line["gpus"][0].get("fault") for line in lines(tmp_path / "1")]
        assert "does not answer" in faults and faults[-1] is None
        assert one.summary().energy_kwh == 1.0, "what it used while it hung is counted"
        assert not any(line["gpus"][0].get("fault") for line in lines(tmp_path / "2"))

    def test_nothing_holds_up_the_end(self, install, tmp_path: Path, monkeypatch):
        monkeypatch.setattr(telemetry, "_LAST_WORD_SECONDS", 0.1)
        (card,) = cards(1)
        install(card)
        sampling = sampler(tmp_path, card.uuid).start()
        until(lambda: sampling.summary().samples >= 1)
        card.hang = threading.Event()
        sampling.stop()
        card.hang.set()
        until(lambda: not any(thread.name == "telemetry" for thread in threading.enumerate()))
        count = sampling.summary().samples
        sampling.record({card.uuid: read_device(card.uuid)}, 1.0)
        assert sampling.summary().samples == count, "what comes after the end is not written"

    def test_a_bug_in_one_sampler_is_not_the_end_of_the_others(self, install, tmp_path: Path, monkeypatch):
        install(*cards(2))
        good, bad = sampler(tmp_path / "1", "GPU-00000000"), sampler(tmp_path / "2", "GPU-00000001")
        bad.start()
        until(lambda: bad.summary().samples >= 1)
        assert bad._series is not None
        monkeypatch.setattr(bad._series, "add", lambda sample: 1 / 0)
        good.start()
        until(lambda: bad.problem is not None and good.summary().samples >= 5)
        good.stop()
        bad.stop()
        assert "ZeroDivisionError" in str(bad.problem) and good.problem is None

    def test_a_disk_that_is_full_loses_lines_not_attempts(self, install, tmp_path: Path):
        (card,) = cards(1)
        install(card)
        (tmp_path / "file").write_text("")
        with sampler(tmp_path / "file", card.uuid) as sampling:
            until(lambda: sampling.problem is not None)
        assert "cannot be written" in str(sampling.problem) and sampling.summary() == Telemetry()

    def test_it_goes_on_after_the_runner_died(self, install, tmp_path: Path):
        (card,) = cards(1, utilisation=10)
        install(card)
        with sampler(tmp_path, card.uuid) as first:
            until(lambda: first.summary().samples >= 2)
        before = first.summary()
        with (tmp_path / "telemetry.jsonl").open("a") as file:
            file.write('{"t": 17643')  # the runner died while it wrote
        card.energy += 3_600_000_000
        card.utilisation = 30
        with sampler(tmp_path, card.uuid) as second:
            until(lambda: second.summary().samples >= before.samples + 2)
        after = second.summary()
        assert after.energy_kwh == 1.0 and 10 < (after.utilisation_mean or 0) < 30
        assert telemetry_of(tmp_path / "telemetry.jsonl") == after

    def test_other_gpus_begin_a_new_file(self, install, tmp_path: Path):
        install(*cards(2))
        with sampler(tmp_path, "GPU-00000000") as first:
            until(lambda: first.summary().samples >= 5)
        with sampler(tmp_path, "GPU-00000001") as second:
            until(lambda: second.summary().samples >= 1)
        header = read_series(tmp_path / "telemetry.jsonl")[0]
        assert header and header["gpus"][0]["id"] == "GPU-00000001"


class TestEnergy:
    def row(self, energy: float | None, power: float | None) -> dict[str, Any]:
        return {"energy": energy, "power": power}

    def test_counter_first_then_power(self):
        assert _joules(self.row(150.0, 99.0), self.row(100.0, 99.0), 5) == 50
        assert _joules(self.row(None, 300.0), self.row(None, 100.0), 5) == 1000
        assert _joules(self.row(20.0, 100.0), self.row(100.0, 100.0), 5) == 500, "the counter began anew"
        assert _joules(self.row(100.0, None), None, 5) == 0
        assert _joules(self.row(None, None), self.row(100.0, 1.0), 5) is None

    def test_a_card_without_counter(self, install):
        (card,) = cards(1)
        card.faults["nvmlDeviceGetTotalEnergyConsumption"] = 3
        install(card)
        reading = read_device(card.uuid)
        assert reading["energy"] is None and reading["power"] == 75.0 and "fault" not in reading


HEADER = {"version": 1, "gpus": [{"id": "GPU-a", "name": "A"}], "driver": "1", "shared": False}
number = st.one_of(st.none(), st.floats(0, 1e6))


def sample(at: int, values: tuple[float | None, ...]) -> dict[str, Any]:
    keys = ("utilisation", "memory", "power", "temperature", "energy", "joules")
    gpu = dict(zip(keys, values, strict=True))
    return {"t": float(at), "n": 1, "memory": gpu["memory"], "gpus": [gpu]}


rows = st.lists(st.tuples(number, number, number, number, number, number), max_size=60)


def totals_of(found: list[dict[str, Any]]) -> Totals:
    totals = Totals()
    for line in found:
        totals.add(line)
    return totals


def near(one: float | None, two: float | None) -> bool:
    return one == two if one is None or two is None else one == pytest.approx(two, rel=1e-3, abs=0.1)


@given(rows)
def test_merging_changes_no_total(values):
    samples = [sample(at, row) for at, row in enumerate(values)]
    merged = samples
    while len(merged) > 1:
        merged = [
            merge(*merged[at : at + 2]) if at + 1 < len(merged) else merged[at] for at in range(0, len(merged), 2)
        ]
        one, two = totals_of(samples), totals_of(merged)
        assert one.samples == two.samples and one.utilisation_told == two.utilisation_told
        assert near(one.utilisation, two.utilisation) and near(one.memory_peak, two.memory_peak)
        assert near(one.joules, two.joules)


@settings(max_examples=30)
@given(rows, st.integers(4, 9), st.integers(0, 5))
def test_a_file_stays_small_and_true_however_often_it_is_reopened(tmp_path_factory, values, limit, reopen):
    path = tmp_path_factory.mktemp("series") / "telemetry.jsonl"
    series = Series(path, HEADER, limit)
    for at, row in enumerate(values):
        series.add(sample(at, row))
        assert len(read_series(path)[1]) < limit
        if reopen and at % reopen == 0:
            series.flush()
            series = Series(path, HEADER, limit)
    series.flush()
    one, two = totals_of([sample(at, row) for at, row in enumerate(values)]), totals_of(read_series(path)[1])
    assert one.samples == two.samples == series.totals.samples
    assert near(one.utilisation, two.utilisation) and near(one.joules, two.joules)
    assert near(one.memory_peak, two.memory_peak)


def test_a_day_of_eight_gpus_stays_within_bounds(tmp_path: Path):
    path = tmp_path / "telemetry.jsonl"
    header = {**HEADER, "gpus": [{"id": f"GPU-{n}", "name": "A"} for n in range(8)]}
    series = Series(path, header, limit=600)
    gpu = {
        "utilisation": 97.0,
        "memory": 140 * GB,
        "power": 700.123,
        "temperature": 70,
        "energy": 1e10,
        "joules": 3500.5,
    }
    for at in range(1728):  # a tenth of a day and of the bound
        series.add({"t": 1764324500.123 + at, "n": 1, "memory": 8 * 140 * GB, "gpus": [gpu] * 8})
    assert len(read_series(path)[1]) < 600 and path.stat().st_size < 700_000
    assert series.totals.samples == 1728 and summarise(header, series.totals).utilisation_mean == 97


def test_a_full_disk_loses_no_sample_and_leaves_no_torn_line(tmp_path: Path, monkeypatch):
    path = tmp_path / "telemetry.jsonl"
    series = Series(path, HEADER)
    values = [sample(at, (float(at), 10.0, 5.0, 4.0, 3.0, 2.0)) for at in range(6)]
    series.add(values[0])
    before = path.read_bytes()
    real = Path.open

    class Full:
        """The first bytes still fit."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *exception: object) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, content: bytes) -> int:
            return int(self.file.write(content[:7]))

    monkeypatch.setattr(Path, "open", lambda self, *args, **options: Full(real(self, *args, **options)))
    for value in values[1:4]:
        with pytest.raises(OSError, match="No space left"):
            series.add(value)
        assert path.read_bytes() == before
    monkeypatch.setattr(Path, "open", real)
    series.add(values[4])
    series.add(values[5])
    found = read_series(path)[1]
    assert [line["n"] for line in found] == [1, 4, 1]
    assert summarise(HEADER, totals_of(found)) == summarise(HEADER, series.totals) == telemetry_of(path)
    assert Series(path, HEADER)._per_line == 1


def test_a_file_that_is_rubbish_is_begun_anew(tmp_path: Path):
    path = tmp_path / "telemetry.jsonl"
    path.write_bytes(b"\xff\x00rubbish\n[1]\n" + json.dumps({"gpus": "x"}).encode())
    assert telemetry_of(path) == Telemetry()
    Series(path, HEADER).add(sample(1, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)))
    assert telemetry_of(path).samples == 1
    assert telemetry_of(tmp_path / "none.jsonl") == Telemetry()
