"""Molecules in which each base has its own mean for every measured value, and unpaired bases degrade more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mlebench.synthetic.text import hex_ids

TARGETS = ["reactivity", "deg_Mg_pH10", "deg_pH10", "deg_Mg_50C", "deg_50C"]
BASES = "ACGU"
MEANS = np.array([[0.8, 0.7, 0.8, 0.7, 0.8], [0.3, 0.4, 0.5, 0.4, 0.5], [0.6, 0.6, 0.7, 0.6, 0.6], [0.3, 0.4, 0.4, 0.3, 0.4]])  # fmt: skip
LENGTH, SCORED = 21, 13
FULL_LENGTH, FULL_SCORED = 107, 68


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(150 * scale))
    length, scored = (FULL_LENGTH, FULL_SCORED) if scale > 4 else (LENGTH, SCORED)
    ids = [f"id_{name}" for name in hex_ids(rng, n + 3, 9)]
    molecules = [_molecule(rng, i, name, length, scored) for i, name in enumerate(ids)]
    measured = [_measured(rng, molecule, scored) for molecule in molecules[:n]]
    _write(raw / "train.json", measured)
    _write(raw / "test.json", [{**molecule, "index": i} for i, molecule in enumerate(molecules[n:])])
    header = ",".join(["id_seqpos", *TARGETS])
    rows = [f"{name}_{j},0.0,0.0,0.0,0.0,0.0" for name in ids[n:] for j in range(length)]
    (raw / "sample_submission.csv").write_text("\n".join([header, *rows, ""]))
    (raw / "bpps").mkdir()
    for molecule in molecules[:3]:
        np.save(raw / "bpps" / f"{molecule['id']}.npy", np.eye(length, dtype=np.float32)[::-1])


def _write(path: Path, records: list[dict]) -> None:
    path.write_text("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records))


def _molecule(rng: np.random.Generator, index: int, name: str, length: int, scored: int) -> dict:
    """A hairpin: some bases, a stem, a loop, the stem's other side, a tail."""
    stem = int(rng.integers(3, length // 3))
    start = int(rng.integers(1, length - 2 * stem - 3))
    loop = 3
    structure = "." * start + "(" * stem + "." * loop + ")" * stem
    kinds = "E" * start + "S" * stem + "H" * loop + "S" * stem
    return {
        "index": index,
        "id": name,
        "sequence": "".join(rng.choice(list(BASES), length)),
        "structure": structure.ljust(length, "."),
        "predicted_loop_type": kinds.ljust(length, "E"),
        "seq_length": length,
        "seq_scored": scored,
    }


def _measured(rng: np.random.Generator, molecule: dict, scored: int) -> dict:
    bases = np.array([BASES.index(base) for base in molecule["sequence"][:scored]])
    paired = np.array([mark != "." for mark in molecule["structure"][:scored]])
    noise = float(rng.uniform(0.05, 0.4))
    values = MEANS[bases] * np.where(paired, 0.4, 1.0)[:, None] + rng.normal(0, noise, (scored, len(TARGETS)))
    about = {"signal_to_noise": round(1 / noise, 3), "SN_filter": int(noise < 0.3)}
    errors = {name.replace("deg_", "deg_error_") if "deg" in name else f"{name}_error": [round(noise, 4)] * scored for name in TARGETS}  # fmt: skip
    targets = dict(zip(TARGETS, values.T.round(4).tolist(), strict=True))
    sizes = {name: molecule[name] for name in ("seq_length", "seq_scored")}
    first = {name: value for name, value in molecule.items() if name not in sizes}
    return {**first, **about, **sizes, **errors, **targets}
