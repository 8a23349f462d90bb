"""Clips in which each class sounds its own tone; in the noisy part every fourth label is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.sounds import encode_wav, tones
from mlebench.synthetic.text import hex_ids

RATE = 44_100
CLASSES = (  # noqa: SIM905
    "Accelerating_and_revving_and_vroom Accordion Acoustic_guitar Applause Bark Bass_drum Bass_guitar "
    "Bathtub_(filling_or_washing) Bicycle_bell Burping_and_eructation Bus Buzz Car_passing_by Cheering "
    "Chewing_and_mastication Child_speech_and_kid_speaking Chink_and_clink Chirp_and_tweet Church_bell Clapping "
    "Computer_keyboard Crackle Cricket Crowd Cupboard_open_or_close Cutlery_and_silverware Dishes_and_pots_and_pans "
    "Drawer_open_or_close Drip Electric_guitar Fart Female_singing Female_speech_and_woman_speaking Fill_(with_liquid) "
    "Finger_snapping Frying_(food) Gasp Glockenspiel Gong Gurgling Harmonica Hi-hat Hiss Keys_jangling Knock Male_singing "
    "Male_speech_and_man_speaking Marimba_and_xylophone Mechanical_fan Meow Microwave_oven Motorcycle Printer Purr "
    "Race_car_and_auto_racing Raindrop Run Scissors Screaming Shatter Sigh Sink_(filling_or_washing) Skateboard Slam "
    "Sneeze Squeak Stream Strum Tap Tick-tock Toilet_flush Traffic_noise_and_roadway_noise Trickle_and_dribble "
    "Walk_and_footsteps Water_tap_and_faucet Waves_and_surf Whispering Writing Yell Zipper_(clothing) "
).split()
WRONG = 0.25


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    seconds = 0.02 if scale <= 4 else 1.0
    sizes = {"train_curated": 2 * len(CLASSES), "train_noisy": 3 * len(CLASSES), "test": len(CLASSES)}
    sizes = {name: max(len(CLASSES), int(size * scale)) for name, size in sizes.items()}
    names = iter(f"{name}.wav" for name in hex_ids(rng, sum(sizes.values()), 8))
    for folder, size in sizes.items():
        table = _clips(rng, raw / folder, [next(names) for _ in range(size)], seconds)
        if folder == "train_noisy":
            wrong = rng.random(size) < WRONG
            table.loc[wrong, "labels"] = rng.choice(CLASSES, int(wrong.sum()))
        if folder != "test":
            table.to_csv(raw / f"{folder}.csv", index=False)
            continue
        pd.DataFrame(0, index=table["fname"], columns=CLASSES).to_csv(raw / "sample_submission.csv")
        earlier = table.head(5).assign(fname=[f"{i:08x}.wav" for i in range(5)], usage="Public")
        everything = pd.concat([table.assign(usage="Private"), earlier]).sample(frac=1, random_state=0)
        meta = everything.assign(license="CC0").to_csv(index=False).encode()
        write_zip(raw / "FSDKaggle2019.meta.zip", [("FSDKaggle2019.meta/test_post_competition.csv", meta)])


def _clips(rng: np.random.Generator, folder: Path, names: list[str], seconds: float) -> pd.DataFrame:
    """Write clips of one or two classes; every class has its turn."""
    folder.mkdir()
    labels = []
    for i, name in enumerate(names):
        own = {i % len(CLASSES), *rng.choice(len(CLASSES), rng.integers(0, 2)).tolist()}
        sound = tones(rng, seconds, RATE, [200 * 1.055**label for label in sorted(own)])
        (folder / name).write_bytes(encode_wav(sound, RATE))
        labels.append(",".join(CLASSES[label] for label in sorted(own)))
    return pd.DataFrame({"fname": names, "labels": labels})
