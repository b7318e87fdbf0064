#!/usr/bin/env python3
"""Writes packages/nets/src/metrics/reference.json: the measures of small sets of features, by other means than Zeuxis's.

    /usr/bin/python3 scripts/reference/metrics.py        (needs Debian's python3-scipy and python3-torch; the tests do not)

The Fréchet distance goes through scipy.linalg.sqrtm, or, where covariances lack rank and sqrtm fails, through the
nuclear norm of the centred sets' product, which is the same number. The others are numpy from their papers' definitions:
Bińkowski et al. (2018) equation 4, Kynkäänniemi et al. (2019) equations 1 to 3, Naeem et al. (2020) equations 4 and 5.
"""
import pathlib
import sys
import numpy as np
import scipy.linalg

sys.dont_write_bytecode = True
from common import fill, write

# name: rows of the real and of the generated set, features, how far and how much narrower the generated ones are
CASES = {
    "alike": (400, 300, 24, 0.0, 1.0),
    "shifted and narrower": (300, 350, 16, 0.4, 0.8),
    "far apart": (120, 90, 8, 3.0, 0.5),
    "fewer rows than features": (30, 25, 64, 0.3, 0.9),
}


def features(name, count, width, shift, scale):
    """Correlated features: hashed values times a hashed matrix."""
    values = fill(name, count * width).astype(np.float64).reshape(count, width)
    mix = fill(f"mix {width}", width * width).astype(np.float64).reshape(width, width) / np.sqrt(width)
    return (scale * values + shift) @ mix


def frechet(x, y):
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    if len(x) > x.shape[1] and len(y) > y.shape[1]:
        root = np.trace(scipy.linalg.sqrtm(s1 @ s2).real)
    else:
        a, b = (x - x.mean(0)) / np.sqrt(len(x) - 1), (y - y.mean(0)) / np.sqrt(len(y) - 1)
        root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(s1) + np.trace(s2) - 2 * root


def discrepancy(x, y):
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    off = lambda m: m.sum() - np.trace(m)
    m, n = len(x), len(y)
    return off(k(x, x)) / (m * (m - 1)) + off(k(y, y)) / (n * (n - 1)) - 2 * k(x, y).mean()


def distances(a, b):
    return np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2)


def radius(a, k):
    # Column 0 is the point itself.
    return np.sort(distances(a, a), axis=1)[:, k]


def shares(real, made):
    d = distances(real, made)
    inside = d < radius(real, 5)[:, None]
    return {
        "precision": (d <= radius(real, 3)[:, None]).any(axis=0).mean(),
        "recall": (d <= radius(made, 3)[None, :]).any(axis=1).mean(),
        "density": inside.sum() / (5 * len(made)),
        "coverage": inside.any(axis=1).mean(),
    }


def case(name, real, made, width, shift, scale):
    x, y = features(f"{name} real", real, width, 0.0, 1.0), features(f"{name} made", made, width, shift, scale)
    values = {"frechet": frechet(x, y), "kernel": discrepancy(x, y), **shares(x, y)}
    return {
        "settings": [real, made, width, shift, scale],
        "eigenvalues": [float(f"{v:.12g}") for v in np.linalg.eigvalsh(np.cov(x, rowvar=False))[[0, width // 2, -1]]],
        **{key: float(f"{value:.12g}") for key, value in values.items()},
    }


out = pathlib.Path(__file__).parents[2] / "packages/nets/src/metrics/reference.json"
write(out, {name: case(name, *settings) for name, settings in CASES.items()})
