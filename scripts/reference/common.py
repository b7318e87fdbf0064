"""What the reference scripts share with the tests that read their numbers.

Inputs and weights are not stored: both sides fill them with the same hash (murmur3's finaliser), and both round to
float32 before use. PyTorch then computes in float64, so that what the tests measure is the error of Zeuxis alone.
"""
import json
import math
import numpy as np
import torch

SAMPLES = 8


def salt(name):
    """FNV-1a, 32 bits."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def fill(name, count):
    """`count` float32 values, uniform with mean 0 and variance 1, the same for the same name."""
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(salt(name))
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return (((h.astype(np.float64) + 0.5) / 2**31 - 1) * math.sqrt(3)).astype(np.float32)


def filled(name, shape):
    return torch.from_numpy(fill(name, int(np.prod(shape))).astype(np.float64).reshape(shape)).requires_grad_()


class Weights(dict):
    """Weights by name, filled when first asked for. One that starts at zero is filled too, or it would test nothing."""

    def __call__(self, name, shape, deviation):
        if name not in self:
            values = fill(name, math.prod(shape)).astype("float64") * (deviation or 0.1)
            self[name] = torch.from_numpy(values.astype("float32").astype("float64")).reshape(shape).requires_grad_()
        return self[name]


def summary(tensor):
    """A large array as a few numbers: its size, its norm, its product with a fixed random vector (which sees every entry, its
    sign and its place) and values at even distances."""
    flat = tensor.detach().reshape(-1).numpy()
    stride = max(1, len(flat) // SAMPLES)
    round9 = lambda v: float(f"{v:.9g}")
    return {
        "size": len(flat),
        "norm": round9(np.linalg.norm(flat)),
        "dot": round9(flat @ fill("dot", len(flat)).astype(np.float64)),
        "sample": [round9(v) for v in flat[::stride][:SAMPLES]],
    }


def write(path, cases):
    """One case a line: small, and a change shows where it is."""
    with open(path, "w") as out:
        lines = [f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}" for name, case in cases.items()]
        out.write("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path}: {len(cases)} entries")
