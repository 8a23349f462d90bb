"""Drives along smooth curves; the baseline position of the GNSS table is the truth plus noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PHONES = ("GooglePixel4", "GooglePixel5", "XiaomiMi8")
SATELLITES = 3
GNSS_CONSTANTS = {
    "MessageType": "Raw",
    "LeapSecond": "",
    "HardwareClockDiscontinuityCount": 0,
    "TimeOffsetNanos": 0.0,
    "State": 16431,
    "CarrierFrequencyHz": 1_575_420_030.0,
    "MultipathIndicator": 0,
    "ConstellationType": 1,
    "CodeType": "C",
    "SignalType": "GPS_L1",
}
GNSS_NOISE = (  # noqa: SIM905
    "TimeNanos FullBiasNanos BiasNanos BiasUncertaintyNanos DriftNanosPerSecond DriftUncertaintyNanosPerSecond "
    "ReceivedSvTimeNanos ReceivedSvTimeUncertaintyNanos Cn0DbHz PseudorangeRateMetersPerSecond "
    "PseudorangeRateUncertaintyMetersPerSecond AccumulatedDeltaRangeState AccumulatedDeltaRangeMeters "
    "AccumulatedDeltaRangeUncertaintyMeters ChipsetElapsedRealtimeNanos ArrivalTimeNanosSinceGpsEpoch "
    "RawPseudorangeMeters ReceivedSvTimeNanosSinceGpsEpoch SvPositionXEcefMeters SvPositionYEcefMeters "
    "SvPositionZEcefMeters SvElevationDegrees SvAzimuthDegrees SvVelocityXEcefMetersPerSecond "
    "SvVelocityYEcefMetersPerSecond SvVelocityZEcefMetersPerSecond SvClockBiasMeters SvClockDriftMetersPerSecond "
    "IsrbMeters IonosphericDelayMeters TroposphericDelayMeters"
).split()
AXIS, FLATTENING = 6_378_137.0, 1 / 298.257223563


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    dates = max(12, min(60, int(14 * scale)))
    seconds = int(np.clip(30 * scale, 30, 1800))
    days = pd.Timestamp("2020-05-15") + pd.to_timedelta(np.cumsum(rng.integers(1, 9, dates)), "D")
    for day in days:
        for run in range(1, 1 + int(rng.integers(1, 3))):
            drive = raw / "train" / f"{day:%Y-%m-%d}-US-MTV-{run}"
            start = int(day.timestamp() * 1000) + 64_000_000 + run * 7_200_000
            for phone in rng.permutation(PHONES)[: rng.integers(1, 3)]:
                _phone(rng, drive / phone, start, seconds)
    trip = sorted((raw / "train").iterdir())[0]
    sample = pd.read_csv(next(trip.glob("*/ground_truth.csv")))[["UnixTimeMillis"]].head(5)
    sample.insert(0, "tripId", f"{trip.name}-{PHONES[0]}")
    sample.assign(LatitudeDegrees=37.9, LongitudeDegrees=-86.5).to_csv(raw / "sample_submission.csv", index=False)
    (raw / "metadata").mkdir()
    (raw / "metadata" / "constellation_type_mapping.csv").write_text("constellationType,constellationName\n1,GPS\n")
    (raw / "metadata" / "raw_state_bit_map.json").write_text('{"0": "STATE_CODE_LOCK"}\n')


def _phone(rng: np.random.Generator, folder: Path, start: int, seconds: int) -> None:
    (folder / "supplemental").mkdir(parents=True)
    times = start + np.arange(seconds) * 1000
    heading = np.cumsum(rng.normal(0, 0.05, seconds)) + rng.uniform(0, 2 * np.pi)
    lat = 37.4 + rng.normal(0, 0.02) + np.cumsum(np.cos(heading)) * 1.2e-4
    lon = -122.1 + rng.normal(0, 0.02) + np.cumsum(np.sin(heading)) * 1.5e-4
    truth = {"MessageType": "Fix", "Provider": "GT", "LatitudeDegrees": lat, "LongitudeDegrees": lon, "AltitudeMeters": 30.0,
             "SpeedMps": 13.3, "AccuracyMeters": 0.1, "BearingDegrees": np.degrees(heading).round(1) % 360, "UnixTimeMillis": times}  # fmt: skip
    pd.DataFrame(truth).to_csv(folder / "ground_truth.csv", index=False)

    rows = seconds * SATELLITES
    noise = dict(zip(GNSS_NOISE, rng.normal(0, 100, (len(GNSS_NOISE), rows)).round(1), strict=True))
    wls = _ecef(lat, lon, 30.0) + rng.normal(0, 2.0, (3, seconds))
    gnss = {
        "utcTimeMillis": times.repeat(SATELLITES),
        "Svid": np.tile(np.arange(1, SATELLITES + 1), seconds),
        **{f"WlsPosition{axis}EcefMeters": place.round(3).repeat(SATELLITES) for axis, place in zip("XYZ", wls, strict=True)},
    }  # fmt: skip
    pd.DataFrame({**gnss, **noise}).assign(**GNSS_CONSTANTS).to_csv(folder / "device_gnss.csv", index=False)
    imu = {f"{kind}{axis}": rng.normal(0, 1, seconds).round(3) for kind in ("Measurement", "Bias") for axis in "XYZ"}
    imu = {"MessageType": "UncalAccel", "utcTimeMillis": times, "elapsedRealtimeNanos": (times - start) * 10**6, **imu}
    pd.DataFrame(imu).to_csv(folder / "device_imu.csv", index=False)

    log = [f"Raw,{time},0,0" for time in times.tolist()]
    (folder / "supplemental" / "gnss_log.txt").write_text(
        "\n".join(["# Raw,utcTimeMillis,TimeNanos,LeapSecond", *log, ""])
    )
    (folder / "supplemental" / "rinex.o").write_text("     4.00           OBSERVATION DATA    M\n")
    reference = [f"$GPGGA,{i},{a:.9f},{b:.9f}" for i, (a, b) in enumerate(zip(lat.tolist(), lon.tolist(), strict=True))]
    (folder / "supplemental" / "span_log.nmea").write_text("\n".join([*reference, ""]))


def _ecef(lat: np.ndarray, lon: np.ndarray, height: float) -> np.ndarray:
    """Earth-centred coordinates in metres (WGS84), shape (3, n)."""
    lat, lon = np.radians(lat), np.radians(lon)
    square = FLATTENING * (2 - FLATTENING)
    radius = AXIS / np.sqrt(1 - square * np.sin(lat) ** 2)
    flat = (radius + height) * np.cos(lat)
    return np.stack([flat * np.cos(lon), flat * np.sin(lon), (radius * (1 - square) + height) * np.sin(lat)])
