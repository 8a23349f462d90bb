"""Brown moles on skin; melanomas are darker, redder and their patients older. As DICOM, JPEG and in TFRecord shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom
from mlebench.formats.tfrecord import encode_example, write_records
from mlebench.synthetic.images import encode, spotted

SHARDS = ["train00-2071", "train01-2071", *(f"train{i:02d}-2071" for i in range(2, 15)), "train15-2061"]
SITES = ["head/neck", "lower extremity", "torso", "upper extremity", "palms/soles"]
METADATA = ["image_name", "patient_id", "sex", "age_approx", "anatom_site_general_challenge"]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    per_shard, tests = max(16, int(18 * scale)), max(4, int(12 * scale))
    n = per_shard * len(SHARDS)
    table = _table(rng, n + tests)
    for folder in ("train", "test", "jpeg/train", "jpeg/test", "tfrecords"):
        (raw / folder).mkdir(parents=True)
    records = []
    for i, row in enumerate(table.itertuples(index=False)):
        part = "train" if i < n else "test"
        pixels = spotted(rng, 32, (215, 170, 150), [(70, 20, 20) if row.target else (150, 100, 70)], each=2)
        image = encode(pixels, "JPEG", quality=85)
        (raw / "jpeg" / part / f"{row.image_name}.jpg").write_bytes(image)
        dicom = encode_dicom(pixels.mean(axis=2).astype(np.uint8), Modality="XC", PatientID=row.patient_id)
        (raw / part / f"{row.image_name}.dcm").write_bytes(dicom)
        label = {"target": [int(row.target)]} if part == "train" else {}
        names = {name: [str(getattr(row, name)).encode()] for name in ("image_name", "patient_id", "sex")}
        records.append(encode_example({"image": [image], **names, **label}))
    for i, shard in enumerate(SHARDS):
        write_records(raw / "tfrecords" / f"{shard}.tfrec", records[i * per_shard : (i + 1) * per_shard])
    write_records(raw / "tfrecords" / f"test00-{tests}.tfrec", records[n:])
    # The shards are in another order than the table, as the real ones are.
    train, test = table.head(n).sort_values("image_name"), table.tail(tests)[METADATA]
    train.to_csv(raw / "train.csv", index=False)
    test.to_csv(raw / "test.csv", index=False)
    test[["image_name"]].assign(target=0).to_csv(raw / "sample_submission.csv", index=False)


def _table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Every eighth lesion is a melanoma, so that each shard holds some."""
    target = (np.arange(n) % 8 == 3).astype(int)
    kept = rng.random((3, n)) > 0.02
    return pd.DataFrame(
        {
            "image_name": [f"ISIC_{number:07d}" for number in rng.permutation(n) * 7 + 15719],
            "patient_id": [f"IP_{number:07d}" for number in rng.integers(0, max(2, n // 10), n) * 13 + 501],
            "sex": np.where(kept[0], rng.choice(["male", "female"], n), None),
            "age_approx": np.where(kept[1], 5.0 * rng.integers(4, 14, n) + 15 * target, np.nan),
            "anatom_site_general_challenge": np.where(kept[2], rng.choice(SITES, n), None),
            "diagnosis": np.where(target == 1, "melanoma", rng.choice(["unknown", "nevus"], n)),
            "benign_malignant": np.where(target == 1, "malignant", "benign"),
            "target": target,
        }
    )
