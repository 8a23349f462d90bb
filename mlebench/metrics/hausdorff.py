"""The Hausdorff distance of two volumes, without comparing every voxel with every other."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.spatial import cKDTree

Shape = tuple[int, int, int]
_BLOCK_BITS = (2, 3, 3)
"""Blocks of 4 x 8 x 8 voxels: the distances of a block's voxels are bounded together."""
_FIRST_BLOCKS = 8
"""Blocks that are searched at once, to find a distance that rules out most of the others."""
_DIRECTIONS = np.array([step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)])
_SLACK = 1 + 1e-9
"""Bounds leave room for rounding."""


def hausdorff(a: np.ndarray, b: np.ndarray, shape_a: Shape, shape_b: Shape) -> float:
    """Largest distance from a voxel of one volume to the nearest voxel of the other, in either direction.

    H = max(max_{p in a} min_{q in b} |p - q|, max_{q in b} min_{p in a} |p - q|), Euclidean, where a voxel's
    coordinates are its indices divided by the shape of its own volume, so H lies in [0, sqrt(3)). Volumes are given
    as the ascending positions of their voxels in the flat volume (C order), int64 (n,), and must not be empty. Exact.
    """
    if not (a.size and b.size):
        raise ValueError("the Hausdorff distance needs voxels on both sides")
    return _directed(b, a, shape_b, shape_a, least=_directed(a, b, shape_a, shape_b))


def _directed(a: np.ndarray, b: np.ndarray, shape_a: Shape, shape_b: Shape, least: float = 0.0) -> float:
    """max over voxels p of a of the distance to the nearest voxel of b; `least` where that is smaller."""
    filled = None
    far, near = a, b
    if shape_a == shape_b:
        filled = np.zeros(shape_b, dtype=bool)
        filled.ravel()[b] = True
        # A shared voxel is at distance 0, and the nearest voxel of b to one outside of b lies on b's surface.
        far, near = a[~filled.ravel()[a]], _surface(b, filled)
    if not far.size:
        return least
    tree = cKDTree(_indices(near, shape_b) / np.array(shape_b), balanced_tree=False)
    where, shape = _indices(far, shape_a), np.array(shape_a)
    block, bounds = _block_bounds(where, shape, tree)
    first = np.zeros(bounds.size, dtype=bool)
    first[np.argpartition(bounds, -min(_FIRST_BLOCKS, bounds.size))[-_FIRST_BLOCKS:]] = True
    best = max(least, _farthest(where[first[block]] / shape, tree))
    rest = where[((bounds > best) & ~first)[block]]
    if filled is not None:
        rest = _not_surely_within(rest, best / _SLACK, filled)
    return max(best, _farthest(rest / shape, tree))


def _farthest(points: np.ndarray, tree: cKDTree) -> float:
    return float(tree.query(points)[0].max(initial=0.0))


def _block_bounds(where: np.ndarray, shape: np.ndarray, tree: cKDTree) -> tuple[np.ndarray, np.ndarray]:
    """For every voxel the number of its block, and for every block a distance that no voxel of it exceeds."""
    corner = where >> np.array(_BLOCK_BITS)
    grid = corner.max(axis=0) + 1
    key = (corner[:, 0] * grid[1] + corner[:, 1]) * grid[2] + corner[:, 2]
    used = np.flatnonzero(np.bincount(key))
    size = 1 << np.array(_BLOCK_BITS)
    centres = (_indices(used, (int(grid[0]), int(grid[1]), int(grid[2]))) * size + (size - 1) / 2) / shape
    half_diagonal = float(np.linalg.norm((size - 1) / 2 / shape))
    bounds = (tree.query(centres)[0] + half_diagonal) * _SLACK  # the triangle inequality
    number = np.empty(key.max() + 1, dtype=np.int64)
    number[used] = np.arange(used.size)
    return number[key], bounds


def _not_surely_within(where: np.ndarray, distance: float, filled: np.ndarray) -> np.ndarray:
    """Those voxels that do not see a filled voxel at once, within the distance in one of 26 directions."""
    shape = np.array(filled.shape)
    for reach in (distance, distance / 2):
        for direction in _DIRECTIONS:
            step = np.trunc(reach * direction / np.linalg.norm(direction) * shape).astype(np.int64)
            # Staying within the volume only shortens the step.
            z, y, x = np.clip(where + step, 0, shape - 1).T
            where = where[~filled[z, y, x]]
    return where


def _surface(voxels: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """The voxels that have a neighbour outside of the volume (some inner ones may be among them)."""
    flat = filled.ravel()
    outer = np.zeros(voxels.size, dtype=bool)
    for stride in (filled.shape[1] * filled.shape[2], filled.shape[2], 1):
        for step in (-stride, stride):
            # Past the border this looks at some other voxel: a border voxel may be kept in vain, never lost, because
            # its neighbours inside of the grid decide by themselves.
            outer |= ~flat[np.clip(voxels + step, 0, flat.size - 1)]
    return voxels[outer]


def _indices(flat: np.ndarray, shape: Shape) -> np.ndarray:
    return np.stack(np.unravel_index(flat, shape), axis=1)
