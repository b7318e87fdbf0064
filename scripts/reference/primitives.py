#!/usr/bin/env python3
"""Writes packages/graph/src/reference.json: PyTorch's numbers for the cases of reference-cases.ts, under the same names.

    /usr/bin/python3 scripts/reference/primitives.py        (needs Debian's python3-torch; the tests do not)

For each case y = f(x0, x1, ..) the loss is sum(w y) + sum(y^2) / 4 with fixed random w. Kept are y, the loss's gradients
(`first`) and the gradients of their squared norm (`second`, which is what R1 and R2 ask for).
"""
import pathlib
import sys
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from common import filled, summary, write

positive = lambda x: x.abs() + 0.5
up = lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

def shuffle(x, r):
    """ONNX's DepthToSpace in mode DCR; F.pixel_shuffle's channels stand in the other order, CRD."""
    n, c, h, w = x.shape
    return x.reshape(n, r, r, c // r**2, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // r**2, h * r, w * r)


def at_rank(values, x):
    return values.gather(-1, x.detach().argsort(-1).argsort(-1))


def unshuffle(x, r):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).permute(0, 3, 5, 1, 2, 4).reshape(n, c * r**2, h // r, w // r)


CASES = {
    "arithmetic with broadcasting": ([[2, 3, 4], [3, 1]], lambda a, b: (a + b) * a - a / positive(b) * 2 + (-b)),
    "maximum, minimum and clamp": ([[5, 6], [6]], lambda a, b: torch.maximum(a, b) + torch.minimum(a, b * 2) + a.clamp(-1, 0.5)),
    "exp": ([[40]], torch.exp),
    "log": ([[40]], lambda x: positive(x).log()),
    "sqrt": ([[40]], lambda x: positive(x).sqrt()),
    "tanh": ([[40]], torch.tanh),
    "sigmoid": ([[40]], torch.sigmoid),
    "softplus far out": ([[40]], lambda x: F.softplus(x * 8, threshold=1e9)),
    "abs and sign": ([[40]], lambda x: x.abs() * 3 + x.sign() * x),
    "leaky relu": ([[8, 9]], lambda x: F.leaky_relu(x, 0.2)),
    "relu": ([[8, 9]], F.relu),
    "select": ([[30], [30]], lambda a, b: torch.where(a > b, a * b, b)),
    "sum and mean over axes": ([[2, 3, 4, 5]], lambda x: x.sum((1, 3)) * x.mean()),
    "broadcast": ([[3, 1]], lambda x: x.expand(2, 3, 4) ** 2),
    "reshape and transpose": ([[2, 3, 4]], lambda x: x.permute(2, 0, 1).reshape(8, 3).T),
    "slice and pad": ([[4, 5, 6]], lambda x: F.pad(x[1:3, 0:4, 2:6], (0, 3, 2, 0, 1, 1))),
    "concat of many": ([[1, 3]] * 9, lambda *xs: torch.cat(xs, 0)),
    "flip": ([[3, 4, 5]], lambda x: x.flip(0, 2)),
    "values at ranks": ([[3, 2, 20]], lambda x: x * (x - at_rank(filled("ranked", x.shape).detach(), x)) ** 2),
    "matmul": ([[5, 7], [7, 4]], torch.matmul),
    "matmul over batches": ([[2, 3, 4, 5], [3, 5, 6]], torch.matmul),
    "matmul with a shared matrix": ([[2, 6, 5], [5, 4]], torch.matmul),
    "bilinear enlargement": ([[2, 3, 5, 7]], up),
    "bilinear enlargement by a matrix": ([[2, 3, 5, 7]], up),
    "average reduction": ([[2, 3, 6, 8]], lambda x: F.avg_pool2d(x, 2)),
    "pixel shuffle": ([[2, 12, 3, 4]], lambda x: shuffle(x**2, 2)),
    "pixel unshuffle": ([[2, 3, 4, 6]], lambda x: unshuffle(x**2, 2)),
    "conv 3x3": ([[2, 4, 16, 16], [6, 4, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1)),
    "conv 3x3 on a small picture": ([[3, 4, 5, 6], [5, 4, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1)),
    "conv 3x3 without padding": ([[2, 3, 9, 8], [4, 3, 3, 3]], F.conv2d),
    "conv 1x1": ([[2, 5, 8, 9], [4, 5, 1, 1]], F.conv2d),
    "conv 1x1 on a small picture": ([[3, 5, 3, 3], [4, 5, 1, 1]], F.conv2d),
    "conv 5x5 wide": ([[1, 3, 18, 16], [4, 3, 5, 5]], lambda x, w: F.conv2d(x, w, padding=2)),
    "conv 3x1": ([[2, 3, 7, 6], [4, 3, 3, 1]], F.conv2d),
    "conv 4x4 stride 2": ([[2, 3, 32, 32], [5, 3, 4, 4]], lambda x, w: F.conv2d(x, w, stride=2, padding=1)),
    "conv 4x4 stride 2 on a small picture": ([[3, 4, 8, 8], [5, 4, 4, 4]], lambda x, w: F.conv2d(x, w, stride=2, padding=1)),
    "conv 4x4 stride 2 of many channels": ([[2, 16, 16, 16], [6, 16, 4, 4]], lambda x, w: F.conv2d(x, w, stride=2, padding=1)),
    "conv 3x3 stride 2 with a row left over": ([[2, 3, 8, 10], [4, 3, 3, 3]], lambda x, w: F.conv2d(x, w, stride=2, padding=1)),
    "conv in groups": ([[2, 6, 16, 16], [4, 3, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1, groups=2)),
    "conv in groups, stride 2": ([[2, 6, 9, 9], [6, 2, 3, 3]], lambda x, w: F.conv2d(x, w, stride=2, padding=1, groups=3)),
    "conv in groups of six outputs": ([[2, 4, 6, 5], [12, 2, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1, groups=2)),
    "conv in groups of one input": ([[2, 3, 6, 5], [6, 1, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1, groups=3)),
    "conv of six channels": ([[2, 6, 6, 5], [4, 6, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1)),
    "conv in groups of one": ([[2, 5, 6, 7], [5, 1, 3, 3]], lambda x, w: F.conv2d(x, w, padding=1, groups=5)),
    "conv transpose 4x4 stride 2": ([[2, 5, 6, 7], [5, 3, 4, 4]], lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1)),
    "conv transpose 3x3": ([[2, 4, 7, 6], [4, 3, 3, 3]], lambda x, w: F.conv_transpose2d(x, w, padding=1)),
    "conv transpose in groups": ([[2, 6, 5, 5], [6, 2, 4, 4]], lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, groups=2)),
}


def case(shapes, f):
    xs = [filled(f"x{i}", shape) for i, shape in enumerate(shapes)]
    y = f(*xs)
    loss = (y * filled("w", y.shape).detach()).sum() + y.square().sum() / 4
    first = torch.autograd.grad(loss, xs, create_graph=True)
    second = torch.autograd.grad(sum(d.square().sum() for d in first), xs)
    return {"y": summary(y), "first": [summary(d) for d in first], "second": [summary(d) for d in second]}


target = pathlib.Path(__file__).parents[2] / "packages/graph/src/reference.json"
write(target, {name: case(*definition) for name, definition in CASES.items()})
