"""Short drives past objects that move on; the lidar shows a cluster of points in every box."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colour_noise, encode
from mlebench.synthetic.text import hex_ids

SIZES = {
    "car": (1.9, 4.7, 1.7), "truck": (2.8, 9.0, 3.4), "bus": (2.9, 11.5, 3.4), "other_vehicle": (2.6, 7.0, 3.0),
    "emergency_vehicle": (2.2, 6.0, 2.4), "motorcycle": (0.9, 2.2, 1.6), "bicycle": (0.6, 1.7, 1.4),
    "pedestrian": (0.7, 0.8, 1.8), "animal": (0.4, 0.8, 0.5),
}  # fmt: skip
"""Width, length and height of each class."""
COMMON = ("car", "car", "car", "pedestrian", "truck", "bicycle", "bus", "motorcycle", "other_vehicle")
CAMERAS = ("CAM_FRONT", "CAM_BACK")
LIDAR = "LIDAR_TOP"
SAMPLES = 4
"""Samples of a scene (126 in the contest)."""
POINTS = 12
"""Lidar points in a box."""

Table = list[dict[str, Any]]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the logs."""
    logs = max(6, int(6 * scale))
    for name in ("train_data", "train_images", "train_lidar", "train_maps"):
        (raw / name).mkdir()
    world = _World(raw, rng, tokens=hex_ids(rng, 30 + logs * SAMPLES * 40, 64))
    for number in range(logs):
        world.drive(number)
    world.tables["map"] = [
        {
            "category": "semantic_prior",
            "filename": "maps/map_raster_palo_alto.png",
            "log_tokens": [log["token"] for log in world.tables["log"]],
            "token": world.token(),
        }
    ]
    for name, records in world.tables.items():
        (raw / "train_data" / f"{name}.json").write_text(json.dumps(records))
    pixels = colour_noise(rng, 64, 64, (90, 90, 90))
    (raw / "train_maps" / "map_raster_palo_alto.png").write_bytes(encode(pixels, "PNG"))
    table = pd.DataFrame(world.rows, columns=["Id", "PredictionString"])
    table.sample(frac=1, random_state=0).to_csv(raw / "train.csv", index=False)
    sample = pd.DataFrame({"Id": [world.token() for _ in range(4)], "PredictionString": ""})
    sample.to_csv(raw / "sample_submission.csv", index=False)


class _World:
    """The tables as they grow, drive by drive."""

    def __init__(self, raw: Path, rng: np.random.Generator, tokens: list[str]) -> None:
        self.raw = raw
        self.rng = rng
        self.tokens = iter(tokens)
        self.rows: list[tuple[str, str]] = []
        names = ("log", "scene", "sample", "sample_data", "ego_pose", "calibrated_sensor", "instance")
        self.tables: dict[str, Table] = {name: [] for name in (*names, "sample_annotation")}
        self.tables["category"] = [{"description": "", "name": name, "token": self.token()} for name in SIZES]
        self.tables["attribute"] = [{"description": "", "name": "is_stationary", "token": self.token()}]
        self.tables["visibility"] = [{"description": "", "level": "v60-80", "token": str(i)} for i in range(1, 5)]
        self.tables["sensor"] = [
            {"channel": name, "modality": "lidar" if name == LIDAR else "camera", "token": self.token()}
            for name in (*CAMERAS, LIDAR)
        ]

    def token(self) -> str:
        return next(self.tokens)

    def drive(self, number: int) -> None:
        """One log, which is one scene: its samples, objects and sensor files."""
        log = self.token()
        car = f"host-a{number % 20:03d}"
        self.tables["log"].append(
            {"date_captured": "2019-01-01", "location": "Palo Alto", "logfile": "", "map_token": "", "token": log,
             "vehicle": car}
        )  # fmt: skip
        calibrations = {}
        for sensor in self.tables["sensor"]:
            calibrations[sensor["channel"]] = self.token()
            self.tables["calibrated_sensor"].append(
                {"camera_intrinsic": [], "rotation": [1.0, 0.0, 0.0, 0.0], "sensor_token": sensor["token"],
                 "token": calibrations[sensor["channel"]], "translation": [1.0, 0.0, 1.8]}
            )  # fmt: skip
        place = np.r_[self.rng.uniform(500, 2500, 2), -20.0]
        objects = [self._object(place, kind) for kind in self._kinds(number)]
        samples = [self.token() for _ in range(SAMPLES)]
        linked = zip(["", *samples[:-1]], samples, [*samples[1:], ""], strict=True)
        for step, (before, sample, after) in enumerate(linked):
            moment = 1_546_300_000_000_000 + (number * 1000 + step) * 200_000
            self.tables["sample"].append(
                {"next": after, "prev": before, "scene_token": log, "timestamp": moment, "token": sample}
            )
            boxes = [self._annotate(thing, step, sample) for thing in objects]
            self.rows.append((sample, " ".join(" ".join(map(str, box)) for box in boxes)))
            for channel, calibration in calibrations.items():
                self._sensor_file(channel, calibration, sample, f"{car}_{{}}_{moment}", moment, place, boxes)
        self.tables["scene"].append(
            {"description": "", "first_sample_token": samples[0], "last_sample_token": samples[-1], "log_token": log,
             "name": f"{car}-lidar0-{number}", "nbr_samples": SAMPLES, "token": log}
        )  # fmt: skip

    def _kinds(self, number: int) -> list[str]:
        rare = ("emergency_vehicle", "animal")
        return [*COMMON[:4], COMMON[number % len(COMMON)], *rare[number % 5 :][:1]]

    def _object(self, place: np.ndarray, kind: str) -> dict[str, Any]:
        category = next(record["token"] for record in self.tables["category"] if record["name"] == kind)
        instance = {"category_token": category, "first_annotation_token": "", "last_annotation_token": "",
                    "nbr_annotations": SAMPLES, "token": self.token()}  # fmt: skip
        self.tables["instance"].append(instance)
        start = place + np.r_[self.rng.uniform(-40, 40, 2), SIZES[kind][2] / 2]
        speed = 0.0 if self.rng.random() < 0.3 else float(self.rng.uniform(0.2, 2))
        return {"kind": kind, "start": start, "yaw": float(self.rng.uniform(-np.pi, np.pi)), "speed": speed,
                "instance": instance}  # fmt: skip

    def _annotate(self, thing: dict[str, Any], step: int, sample: str) -> tuple:
        """Record an object in a sample; its centre, size, yaw and class."""
        yaw, size, instance = thing["yaw"], SIZES[thing["kind"]], thing["instance"]
        centre = thing["start"] + step * thing["speed"] * np.array([np.cos(yaw), np.sin(yaw), 0.0])
        token = self.token()
        instance["first_annotation_token"] = instance["first_annotation_token"] or token
        before, instance["last_annotation_token"] = instance["last_annotation_token"], token
        if before:
            self.tables["sample_annotation"][thing["row"]]["next"] = token
        thing["row"] = len(self.tables["sample_annotation"])
        self.tables["sample_annotation"].append(
            {"attribute_tokens": [], "instance_token": instance["token"], "next": "", "num_lidar_pts": POINTS,
             "prev": before, "rotation": [float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))],
             "sample_token": sample, "size": list(size), "token": token, "translation": centre.tolist(),
             "visibility_token": "4"}
        )  # fmt: skip
        return (*centre.tolist(), *size, yaw, thing["kind"])

    def _sensor_file(
        self, channel: str, calibration: str, sample: str, name: str, moment: int, place: np.ndarray, boxes: list[tuple]
    ) -> None:
        pose = self.token()
        self.tables["ego_pose"].append(
            {"rotation": [1.0, 0.0, 0.0, 0.0], "timestamp": moment, "token": pose, "translation": place.tolist()}
        )
        if channel == LIDAR:
            name, kind = name.format("lidar1") + ".bin", "lidar"
            content = self._sweep(place + np.array([1.0, 0.0, 1.8]), boxes)
        else:
            name, kind = name.format(f"cam{CAMERAS.index(channel)}") + ".jpeg", "images"
            content = encode(colour_noise(self.rng, 24, 32, (120, 130, 140)), "JPEG", quality=80)
        (self.raw / f"train_{kind}" / name).write_bytes(content)
        self.tables["sample_data"].append(
            {"calibrated_sensor_token": calibration, "channel": channel, "ego_pose_token": pose,
             "fileformat": "bin" if kind == "lidar" else "jpeg", "filename": f"{kind}/{name}",
             "height": None if kind == "lidar" else 24, "is_key_frame": True, "next": "", "prev": "",
             "sample_token": sample, "timestamp": moment, "token": self.token(),
             "width": None if kind == "lidar" else 32}
        )  # fmt: skip

    def _sweep(self, sensor: np.ndarray, boxes: list[tuple]) -> bytes:
        """Points (x, y, z, intensity, ring) in the sensor's frame: some on the ground, and POINTS in every box."""
        ground = np.column_stack([self.rng.uniform(-50, 50, (60, 2)), np.full(60, -1.8)])
        clouds = [ground]
        for x, y, z, width, length, height, yaw, _ in boxes:
            along, across, up = self.rng.uniform(-0.5, 0.5, (3, POINTS)) * [[length], [width], [height]]
            turned = [along * np.cos(yaw) - across * np.sin(yaw), along * np.sin(yaw) + across * np.cos(yaw), up]
            clouds.append(np.column_stack(turned) + np.array([x, y, z]) - sensor)
        points = np.concatenate(clouds)
        rest = np.column_stack([np.full(len(points), 100.0), np.zeros(len(points))])
        return np.hstack([points, rest]).astype("<f4").tobytes()
