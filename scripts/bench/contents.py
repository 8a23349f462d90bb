"""Files whose cells cost time: masks, boxes, long texts, many millions of rows; of the sizes of the real data.

Each maker writes the answers and a model's submission and returns how many rows the submission has. The figures (pictures
and their sizes, boxes, cells, characters a page) are those of the contests' data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.rle import encode_runs, mask_runs

Maker = Callable[[Path, Path, int, np.random.Generator], int]
_CHUNK = 500_000
_CLASSES = (
    "car", "pedestrian", "bicycle", "truck", "bus", "other_vehicle", "motorcycle", "emergency_vehicle", "animal",
)  # fmt: skip


def neutrinos(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """13 million events: directions in radians with all their digits."""
    ids = np.cumsum(rng.integers(1, 320, rows))
    azimuth, zenith = rng.random(rows) * 2 * np.pi, np.arccos(rng.uniform(-1, 1, rows))
    _write(answers, {"event_id": ids, "azimuth": azimuth, "zenith": zenith})
    azimuth = (azimuth + 0.5 * rng.standard_normal(rows)) % (2 * np.pi)
    zenith = np.clip(zenith + 0.4 * rng.standard_normal(rows), 0, np.pi)
    _write(submission, {"event_id": ids, "azimuth": azimuth, "zenith": zenith})
    return rows


def scanned_pages(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """29 pages of 540 pixels width, 20 of them 420 high and 9 of them 258: one row a pixel."""
    pages = [(420, 540)] * 20 + [(258, 540)] * 9
    parts = []
    for page, (height, width) in enumerate(pages):
        row, column = np.divmod(np.arange(height * width), width)
        stem = str(110 + 3 * page)
        parts += [f"{stem}_{r}_{c}" for r, c in zip((row + 1).tolist(), (column + 1).tolist(), strict=True)]
    value = rng.integers(0, 256, len(parts)) / 255.0
    _write(answers, {"id": parts, "value": value})
    _write(submission, {"id": parts, "value": np.clip(value + 0.1 * rng.standard_normal(len(parts)), 0, 1)})
    return len(parts)


def shoppers(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """Twelve articles for each of 1.37 million customers, of whom 75 thousand bought something."""
    ids = _hex(rng, rows, 64)
    articles = np.array([f"{n}" for n in np.unique(rng.integers(108_775_015, 959_461_001, 105_542))], dtype=object)
    buyers = np.sort(rng.choice(rows, min(75_000, rows), replace=False))
    bought = [" ".join(articles[rng.integers(0, len(articles), n)]) for n in rng.geometric(0.3, len(buyers)).tolist()]
    _write(answers, {"customer_id": [ids[i] for i in buyers], "prediction": bought})
    popular = articles[(rng.pareto(1.2, (rows, 12)) * 50).astype(np.int64) % len(articles)]
    _write(submission, {"customer_id": ids, "prediction": [" ".join("0" + a for a in row) for row in popular.tolist()]})
    return rows


def notebooks(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """Orders of 46 cells a notebook; the prediction moves a third of them."""
    counts = np.clip(rng.lognormal(3.5, 0.75, rows), 2, 1000).astype(np.int64)
    truth, guess = [], []
    for count in counts.tolist():
        cells = np.array(_hex(rng, count, 8), dtype=object)
        truth.append(" ".join(cells))
        guess.append(" ".join(cells[np.argsort(np.arange(count) + rng.normal(0, count / 10, count))]))
    ids = _hex(rng, rows, 14)
    _write(answers, {"id": ids, "cell_order": truth})
    _write(submission, {"id": ids, "cell_order": guess})
    return rows


def questions(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """Two rows per example; each line of the answers carries its whole article of some 50 kB (1.7 GB in all)."""
    words = np.array([f"w{n}" for n in range(5000)] + ["<P>", "</P>", "<Tr>", "<Td>"] * 250, dtype=object)
    article = " ".join(words[rng.integers(0, len(words), 9000)])
    candidates = [{"start_token": 60 * i, "top_level": i % 3 == 0, "end_token": 60 * i + 50} for i in range(120)]
    start = json.dumps({"document_text": article, "long_answer_candidates": candidates, "question_text": "who is it"})
    ids, cells = [], []
    with answers.open("w", encoding="utf-8") as file:
        for number in range(rows // 2):
            example = str(-(10**18) - int(rng.integers(10**17)) * 10 + number % 10)
            begin = int(rng.integers(9000)) if rng.random() < 0.5 else -1
            short = [{"start_token": begin + 3, "end_token": begin + 5}] if begin >= 0 and rng.random() < 0.7 else []
            annotation = {
                "yes_no_answer": "NONE",
                "long_answer": {"start_token": begin, "candidate_index": 3, "end_token": begin + 50},
                "short_answers": short,
                "annotation_id": number,
            }
            rest = {
                "annotations": [annotation],
                "document_url": "https://en.example.org/?title=A",
                "example_id": example,
            }
            file.write(start[:-1] + ", " + json.dumps(rest)[1:] + "\n")
            ids += [f"{example}_short", f"{example}_long"]
            right = [f"{s['start_token']}:{s['end_token']}" for s in short[:1]] or [""]
            long = f"{begin}:{begin + 50}" if begin >= 0 and rng.random() < 0.6 else ""
            cells += [right[0] if rng.random() < 0.6 else "17:19", long]
    _write(submission, {"example_id": ids, "PredictionString": cells})
    return len(ids)


def organs(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """49 scans of 144 slices with three organs each, in pictures of 266 x 266 and 360 x 310 pixels."""
    truth: dict[str, list[object]] = {n: [] for n in ("id", "class", "predicted", "image_width", "image_height")}
    guess = []
    for scan in range(49):
        width, height = (266, 266) if scan % 2 else (360, 310)
        shapes = [(rng.uniform(0.3, 0.7, 2), rng.uniform(25, 50, 2), rng.integers(30, 60), o) for o in range(3)]
        for piece in range(144):
            for centre, radius, begin, organ in shapes:
                depth = (piece - begin) / (50 + 10 * organ)
                scale = np.sqrt(max(0.0, 1 - (2 * depth - 1) ** 2)) if 0 < depth < 1 else 0.0
                x, y = centre * (width, height)
                cells = [
                    _ellipse(x + shift, y + shift, *(radius * scale * rng.uniform(0.9, 1.1)), height, rng)
                    for shift in (0, rng.normal(0, 2))
                ]
                truth["id"].append(f"case{scan // 3}_day{scan % 3 * 9}_slice_{piece + 1:04d}")
                truth["class"].append(("large_bowel", "small_bowel", "stomach")[organ])
                truth["predicted"].append(encode_runs(*cells[0]))
                truth["image_width"].append(float(width))
                truth["image_height"].append(float(height))
                guess.append(encode_runs(*cells[1]))
    _write(answers, truth)
    _write(submission, {"id": truth["id"], "class": truth["class"], "predicted": guess})
    return len(guess)


def kidneys(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """Three pictures of a gigapixel with some hundred glomeruli of 300 pixels each."""
    ids, truth, guess, sizes = _hex(rng, 3, 9), [], [], [(26780, 38160), (49780, 31262), (44066, 36800)]
    for (width, height), count in zip(sizes, (240, 430, 620), strict=True):
        places = np.column_stack([p.ravel() for p in np.meshgrid(range(width // 600 - 1), range(height // 600 - 1))])
        chosen = places[rng.choice(len(places), count, replace=False)] * 600 + 400
        cells = []
        for jitter in (0, 12):
            parts = [
                _ellipse(*(place + rng.normal(0, jitter, 2)), *rng.uniform(110, 190, 2), height, rng)
                for place in chosen
            ]
            starts, ends = (np.concatenate(side) for side in zip(*parts, strict=True))
            order = np.argsort(starts)
            cells.append(encode_runs(starts[order], ends[order]))
        truth.append(cells[0])
        guess.append(cells[1])
    width, height = zip(*sizes, strict=True)
    _write(answers, {"id": ids, "encoding": truth, "width_pixels": width, "height_pixels": height})
    _write(submission, {"id": ids, "predicted": guess})
    return 3


def papyrus(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """One fragment of 5249 x 7606 pixels; the prediction has a frayed edge and specks, so about half a million runs."""
    from scipy.ndimage import zoom

    coarse = zoom(rng.standard_normal((96, 66)), 80, order=1)[:7606, :5249]
    fine = rng.standard_normal(coarse.shape) * 0.15
    cells = [encode_runs(*mask_runs(field > 0.8, order="C")) for field in (coarse, coarse + fine)]
    _write(answers, {"Id": ["a"], "Predicted": cells[:1], "width": [5249], "height": [7606]})
    _write(submission, {"Id": ["a"], "Predicted": cells[1:]})
    return 1


def drives(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """28 true boxes a scene (638 thousand annotations in 22,680 scenes); twice as many are predicted."""
    ids, truth, guess = _hex(rng, rows, 64), [], []
    for count in rng.poisson(28, rows).tolist():
        centre = np.column_stack([rng.normal(1500, 40, count), rng.normal(900, 40, count), rng.normal(-20, 1, count)])
        sizes = np.array([1.9, 4.7, 1.7]) * rng.uniform(0.8, 1.2, (count, 3))
        yaw = rng.uniform(-np.pi, np.pi, (count, 1))
        names = [_CLASSES[min(int(n), 8)] for n in rng.exponential(0.8, count)]
        boxes = np.hstack([centre, sizes, yaw])
        near = boxes + rng.normal(0, [0.3, 0.3, 0.1, 0.1, 0.2, 0.1, 0.1], boxes.shape)
        false = boxes + rng.normal(0, [25, 25, 1, 0.1, 0.2, 0.1, 0.5], boxes.shape)
        truth.append(_boxes(np.hstack([np.ones((count, 1)), boxes]), names))
        found = np.hstack([rng.random((2 * count, 1)), np.vstack([near, false])])
        found[:, 4:7] = np.abs(found[:, 4:7]) + 0.1
        guess.append(_boxes(found, names * 2))
    _write(answers, {"Id": ids, "PredictionString": truth})
    _write(submission, {"Id": ids, "PredictionString": guess})
    return rows


def radiographs(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """1500 pictures, a third of them with some findings; 40 boxes are predicted for each."""
    ids = _hex(rng, rows, 32)
    found: list[list[object]] = []
    guess = []
    for image in ids:
        for label in sorted(rng.choice(14, rng.integers(1, 5), replace=False).tolist()) if rng.random() < 0.3 else [14]:
            corner = rng.uniform(0, 2000, 2)
            box = (
                [0.0, 0.0, 1.0, 1.0] if label == 14 else [*corner.round(), *(corner + rng.uniform(50, 900, 2)).round()]
            )
            found.append([image, label, *box])
        corners = rng.uniform(0, 2000, (40, 2)).round()
        boxes = np.hstack([rng.random((40, 1)), corners, corners + rng.uniform(50, 900, (40, 2)).round()])
        guess.append(" ".join(["14 0.6 0 0 1 1", *(_numbers([rng.integers(14), *box]) for box in boxes.tolist())]))
    names = ["image_id", "class_id", "x_min", "y_min", "x_max", "y_max"]
    _write(answers, dict(zip(names, zip(*found, strict=True), strict=True)))
    _write(submission, {"image_id": ids, "PredictionString": guess})
    return rows


def book_pages(answers: Path, submission: Path, rows: int, rng: np.random.Generator) -> int:
    """190 characters a page; the prediction misses some and gets some wrong."""
    ids, truth, guess = [f"book{n // 50:02d}_{n % 50:03d}" for n in range(rows)], [], []
    for count in rng.poisson(190, rows).tolist():
        codes = [f"U+{0x3042 + int(n):X}" for n in rng.integers(0, 80, count)]
        x, y, w, h = (rng.integers(low, high, count) for low, high in ((0, 2000), (0, 3000), (20, 120), (20, 120)))
        truth.append(" ".join(f"{c} {' '.join(map(str, box))}" for c, *box in zip(codes, x, y, w, h, strict=True)))
        guess.append(" ".join(f"{c} {p} {q}" for c, p, q in zip(codes, x + w // 2, y + h // 2, strict=True)))
    _write(answers, {"image_id": ids, "labels": truth})
    _write(submission, {"image_id": ids, "labels": guess})
    return rows


CONTENTS: dict[str, Maker] = {
    "3d-object-detection-for-autonomous-vehicles": drives,
    "AI4Code": notebooks,
    "denoising-dirty-documents": scanned_pages,
    "h-and-m-personalized-fashion-recommendations": shoppers,
    "hubmap-kidney-segmentation": kidneys,
    "icecube-neutrinos-in-deep-ice": neutrinos,
    "kuzushiji-recognition": book_pages,
    "tensorflow2-question-answering": questions,
    "uw-madison-gi-tract-image-segmentation": organs,
    "vesuvius-challenge-ink-detection": papyrus,
    "vinbigdata-chest-xray-abnormalities-detection": radiographs,
}
"""Competition -> what makes its files."""


def _ellipse(
    x: float, y: float, x_radius: float, y_radius: float, height: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Runs (0-based starts and ends) of an ellipse with a rough edge, pixels counted down the columns."""
    columns = np.arange(int(np.ceil(x - x_radius)), int(x + x_radius) + 1) if x_radius >= 1 else np.arange(0)
    half = y_radius * np.sqrt(np.clip(1 - ((columns - x) / x_radius) ** 2, 0, 1)) if len(columns) else np.zeros(0)
    half = half * rng.uniform(0.95, 1.05, len(columns))
    top, bottom = np.rint(y - half).astype(np.int64), np.rint(y + half).astype(np.int64)
    kept = bottom > top
    return (columns * height + top)[kept], (columns * height + bottom)[kept]


def _boxes(values: np.ndarray, names: list[str]) -> str:
    return " ".join(f"{_numbers(row)} {name}" for row, name in zip(values.tolist(), names, strict=True))


def _numbers(values: list[float]) -> str:
    return " ".join(map(str, values))


def _hex(rng: np.random.Generator, count: int, length: int) -> list[str]:
    text = rng.bytes(count * (length + 1) // 2 + length).hex()
    return [text[i * length : (i + 1) * length] for i in range(count)]


def _write(path: Path, columns: dict[str, object]) -> None:
    pd.DataFrame(columns).to_csv(path, index=False, chunksize=_CHUNK)
