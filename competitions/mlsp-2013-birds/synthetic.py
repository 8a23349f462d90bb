"""Short recordings in which each species sings its own tone; half of them keep their labels hidden, as Kaggle's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.data.archives import write_zip
from mlebench.synthetic.images import encode, noise
from mlebench.synthetic.sounds import encode_wav, tones

RATE = 16_000
SPECIES = 19
HEIGHT, WIDTH = 40, 48


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(80 * scale))
    seconds = min(10.0, 0.5 * max(1.0, scale))
    hidden = rng.permutation(n) % 2 == 1
    species = [_species(rng, i) for i in range(n)]
    names = [
        f"PC{rng.integers(1, 14)}_{20090501 + i % 28}_{rng.integers(40_000, 90_000):06d}_{i:04d}" for i in range(n)
    ]

    essential = {
        "CVfolds_2": ["rec_id,fold", *(f"{i},{int(hidden[i])}" for i in range(n))],
        "rec_id2filename": ["rec_id,filename", *(f"{i},{name}" for i, name in enumerate(names))],
        "rec_labels_test_hidden": [
            "rec_id,[labels]",
            *(",".join(map(str, [i, *(["?"] if hidden[i] else species[i])])) for i in range(n)),
        ],
        "species_list": ["class_id,code,species", *(f"{s},BRD{s:02d},Made-up bird {s}" for s in range(SPECIES))],
        "sample_submission": ["Id,Probability", *(f"{i * 100 + s},0" for i in range(n) if hidden[i] for s in range(SPECIES))],
    }  # fmt: skip
    # Recordings without a bird have no segments.
    segments = [(i, s, rng.random(3).round(4)) for i in range(n) for s in species[i]]
    supplemental = {
        "histogram_of_segments": ["rec_id,[histogram of segment features]"]
        + [",".join(map(str, [i, *np.bincount(species[i], minlength=100)])) for i in range(n) if species[i]],
        "segment_features": ["rec_id,segment_id,[feature vector]"]
        + [f"{i},{k},{s / SPECIES:.4f},{','.join(map(str, extra))}" for k, (i, s, extra) in enumerate(segments)],
        "segment_rectangles": ["rec_id,segment_id,[frame_min,frame_max,bin_min,bin_max]"]
        + [f"{i},{k},4,{WIDTH - 4},{_bin(s) - 1},{_bin(s) + 1}" for k, (i, s, _) in enumerate(segments)],
    }
    members: list[tuple[str, bytes]] = []
    for name, lines in essential.items():
        suffix = "csv" if name == "sample_submission" else "txt"
        members.append((f"essential_data/{name}.{suffix}", _text(lines)))
    members += [(f"supplemental_data/{name}.txt", _text(lines)) for name, lines in supplemental.items()]
    members += [(f"supplemental_data/{name}.bmp", encode(noise(rng, 20, 20), "BMP")) for name in ("segment_clusters", "segment_mosaic")]  # fmt: skip
    for i, name in enumerate(names):
        sound = tones(rng, seconds, RATE, [300 + 380 * s for s in species[i]])
        members.append((f"essential_data/src_wavs/{name}.wav", encode_wav(sound, RATE)))
        picture = noise(rng, HEIGHT, WIDTH, mean=60, spread=10)
        mask = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
        for s in species[i]:
            picture[HEIGHT - 1 - _bin(s)] = 220
            mask[HEIGHT - 1 - _bin(s), :, 0] = 255
        members.append((f"supplemental_data/spectrograms/{name}.bmp", encode(picture, "BMP")))
        clean = np.where(picture > 150, picture, 0).astype(np.uint8)
        members.append((f"supplemental_data/filtered_spectrograms/{name}.bmp", encode(clean, "BMP")))
        members.append((f"supplemental_data/supervised_segmentation/{name}.bmp", encode(mask, "BMP")))
        if not hidden[i] and i % 4 == 0:
            members.append((f"supplemental_data/segmentation_examples/{name}.bmp", encode(mask, "BMP")))
    write_zip(
        raw / "mlsp_contest_dataset.zip", [(f"mlsp_contest_dataset/{name}", content) for name, content in members]
    )


def _species(rng: np.random.Generator, recording: int) -> list[int]:
    """None to three species; every species has its turn."""
    if rng.random() < 0.25:
        return []
    chosen = {recording % SPECIES, *rng.choice(SPECIES, rng.integers(0, 3)).tolist()}
    return [int(s) for s in sorted(chosen)]


def _bin(species: int) -> int:
    """Row of the species' tone in a spectrogram, counted from below."""
    return 1 + 2 * species


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
