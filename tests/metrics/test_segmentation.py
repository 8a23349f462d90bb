"""Mask metrics against pixels, by hand and by scikit-learn; the Hausdorff distance against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from scipy.spatial.distance import directed_hausdorff
from sklearn.metrics import f1_score, fbeta_score, jaccard_score

from mlebench.formats.rle import encode_mask, parse_masks
from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.hausdorff import hausdorff
from mlebench.metrics.segmentation import (
    Overlap,
    dice,
    iou,
    mean_dice,
    overlap,
    pixel_f_beta,
    pooled_dice,
    share_of_thresholds,
)

PAIRS = st.lists(st.tuples(*[arrays.arrays(bool, (5, 4))] * 2), min_size=1, max_size=4)


def counted(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Overlap:
    truth, guess = (parse_masks([encode_mask(pair[side]) for pair in pairs], "mask") for side in (0, 1))
    return overlap(truth, guess, 20)


@given(pairs=PAIRS)
def test_metrics_of_each_mask(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    counts = counted(pairs)
    for i, (truth, guess) in enumerate(pairs):
        truth, guess = truth.ravel(), guess.ravel()
        assert pixel_f_beta(counts, beta=0.5)[i] == pytest.approx(fbeta_score(truth, guess, beta=0.5, zero_division=0))
        if (truth | guess).any():
            assert dice(counts)[i] == pytest.approx(f1_score(truth, guess, zero_division=0))
            assert iou(counts)[i] == pytest.approx(jaccard_score(truth, guess, zero_division=0))
        else:
            assert math.isnan(dice(counts)[i]) and math.isnan(iou(counts)[i])


@given(pairs=PAIRS)
def test_pooled_dice_is_the_dice_of_all_pixels(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    truth, guess = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    if (truth | guess).any():
        assert pooled_dice(counted(pairs)) == pytest.approx(f1_score(truth, guess, zero_division=0))
    else:
        with pytest.raises(UndefinedMetricError):
            pooled_dice(counted(pairs))


def test_mean_dice_by_hand() -> None:
    counts = Overlap(shared=np.array([2, 0, 0]), truth=np.array([4, 0, 3]), guess=np.array([2, 0, 0]))
    assert mean_dice(counts) == pytest.approx((4 / 6 + 1 + 0) / 3)


def test_thresholds_are_exceeded_strictly() -> None:
    assert share_of_thresholds(np.array([0.5, 0.7, 1.0]), np.array([0.5, 0.6])).tolist() == [0.0, 1.0, 1.0]


def voxels(volume: np.ndarray) -> np.ndarray:
    return np.flatnonzero(volume)


def plain_hausdorff(a: np.ndarray, b: np.ndarray) -> float:
    one, two = (np.argwhere(volume) / np.array(volume.shape) for volume in (a, b))
    return max(directed_hausdorff(one, two)[0], directed_hausdorff(two, one)[0])


@pytest.mark.parametrize("seed", range(40))
def test_hausdorff_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 30, 3).tolist())
    shapes = shape, shape if seed % 4 else tuple(rng.integers(1, 30, 3).tolist())
    volumes = []
    for own in shapes:
        field = ndimage.gaussian_filter(rng.random(own), seed % 3)
        volumes.append(field >= np.quantile(field, rng.choice([0.3, 0.9, 0.99])))
    a, b = volumes
    assert hausdorff(voxels(a), voxels(b), *shapes) == pytest.approx(plain_hausdorff(a, b), rel=1e-12)


@given(shift=st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)))
def test_hausdorff_of_a_shifted_block(shift: tuple[int, int, int]) -> None:
    shape = (12, 40, 40)
    a, b = np.zeros(shape, bool), np.zeros(shape, bool)
    a[2:8, 5:20, 6:18] = True
    b[tuple(slice(low + by, high + by) for (low, high), by in zip([(2, 8), (5, 20), (6, 18)], shift, strict=True))] = 1
    wanted = math.hypot(*(by / size for by, size in zip(shift, shape, strict=True)))
    assert hausdorff(voxels(a), voxels(b), shape, shape) == pytest.approx(wanted)
