#!/usr/bin/env python3
"""Writes packages/nets/src/style/reference.json: PyTorch's numbers for the painter and for its losses.

    /usr/bin/python3 scripts/reference/style.py        (needs Debian's python3-torch; the tests do not)

The network and the losses are written here a second time, from their definition, with weights by name: p(name, shape, deviation).
"""
import math
import pathlib
import sys
import numpy as np
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from common import Weights, fill, summary, write

BATCH, SIDE, NOISE = 2, 64, 4
GAIN = math.sqrt(2)


def conv(p, name, x, out, kernel, stride=1, padding=None, gain=GAIN):
    w = p(f"{name}.weight", (out, x.shape[1], kernel, kernel), gain / math.sqrt(x.shape[1] * kernel * kernel))
    return F.conv2d(x, w, stride=stride, padding=(kernel - 1) // 2 if padding is None else padding)


def counts(photograph):
    """What a photograph counts beside typical ones: up to a half, the less the less light and dark it has."""
    variance = luma(photograph).var((2, 3), correction=0, keepdim=True)
    return variance / (variance + 2e-3) / 2


def normal(p, name, x, ease, count):
    """By the moments of the picture and of typical ones together, as of one set in which each counts its share."""
    shape = (1, x.shape[1], 1, 1)
    scale, shift = ((what == "scale") + p(f"{name}.{what}", shape, 0) + ease * p(f"{name}.eased.{what}", shape, 0) for what in ("scale", "shift"))
    mean, variance = p(f"{name}.typical.mean", shape, 0), 1 + p(f"{name}.typical.variance", shape, 0)
    own, own_squares = (each.mean((2, 3), keepdim=True) for each in (x, x * x))
    if hasattr(p, "measured"):
        p.measured[name] = own.detach(), (own_squares - own**2).detach()
    squares, both = (count * a + (1 - count) * b for a, b in ((own_squares, variance + mean**2), (own, mean)))
    return (x - both) / torch.sqrt(squares - both**2 + 1e-4) * scale + shift


def blur(x, deviation):
    reach = math.ceil(2.5 * deviation)
    bell = torch.exp(-(torch.arange(-reach, reach + 1).to(x) ** 2) / (2 * deviation**2))
    bell = (bell / bell.sum()).reshape(1, 1, 1, -1).repeat(x.shape[1], 1, 1, 1)
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="replicate"), bell, groups=x.shape[1])
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), bell.transpose(2, 3), groups=x.shape[1])


def smeared(luminance, white):
    """Line integral convolution of white[:4] along what runs across the slopes of luminance [h, w]; white[4:] makes swirls."""
    h, w = luminance.shape
    padded = F.pad(luminance[None, None], (1, 1, 1, 1), mode="replicate")
    sobel = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]]).to(padded) / 8
    gy, gx = F.conv2d(padded, sobel[None, None]), F.conv2d(padded, sobel.T[None, None])
    tensor = torch.cat([gx * gx - gy * gy, 2 * gx * gy], 1)
    bell = torch.exp(-(torch.arange(-30, 31).to(padded) ** 2) / (2 * 12**2))
    swirl = blur(white[None, 4:], 12) / (bell / bell.sum()).square().sum()
    tensor = blur(tensor, 7) + 1e-4 * swirl
    angle = torch.atan2(-tensor[0, 1], -tensor[0, 0]) / 2
    tangent = torch.stack([angle.cos(), angle.sin()], -1)
    sources = torch.cat([blur(white[None, c : c + 1], across) for c, across in enumerate((0.5, 0.7, 1, 1.6))], 1)[0]
    rows, columns = torch.meshgrid(torch.arange(h).to(padded), torch.arange(w).to(padded), indexing="ij")
    out = sources.clone()
    for way in (1, -1):
        x, y, v = columns, rows, way * tangent
        for step in range(1, 25):
            x, y = (x + v[..., 0]).clamp(0, w - 1), (y + v[..., 1]).clamp(0, h - 1)
            x0, y0 = x.floor().clamp(max=w - 2).long(), y.floor().clamp(max=h - 2).long()
            fx, fy = x - x0, y - y0
            for c, along in enumerate((4, 6, 8, 12)):
                if step > math.ceil(2.5 * along):
                    continue
                at = lambda dy, dx: sources[c][y0 + dy, x0 + dx]
                value = (1 - fy) * ((1 - fx) * at(0, 0) + fx * at(0, 1)) + fy * ((1 - fx) * at(1, 0) + fx * at(1, 1))
                out[c] += math.exp(-(step**2) / (2 * along**2)) * value
            there = tangent[y0 + (fy >= 0.5), x0 + (fx >= 0.5)]
            v = torch.where((there * v).sum(-1, keepdim=True) < 0, -there, there)
    return out


def paint(p, x, noise, strength):
    ease, count = 1 - strength, counts(x)
    y = F.relu(normal(p, "in", conv(p, "in", 2 * x - 1, 16, 5), ease, count))
    for name, width in (("down2", 32), ("down4", 64)):
        y = F.relu(normal(p, name, conv(p, name, y, width, 4, stride=2, padding=1), ease, count))
    y = F.relu(normal(p, "mix", conv(p, "mix", torch.cat([y, noise], 1), 64, 3), ease, count))
    for i in range(4):
        inner = F.relu(normal(p, f"block{i}.a", conv(p, f"block{i}.a", y, 64, 3), ease, count))
        y = y + normal(p, f"block{i}.b", conv(p, f"block{i}.b", inner, 64, 3), ease, count)
    for name, width in (("up2", 32), ("up1", 16)):
        y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        y = F.relu(normal(p, name, conv(p, name, y, width, 3), ease, count))
    painted = torch.tanh(normal(p, "out", conv(p, "out", y, 3, 5, gain=1), ease, count)) / 2 + 0.5
    return painted + ease**2 * (x - painted)


def luma(x):
    return sum(float(np.float32(weight)) * x[:, c : c + 1] for c, weight in enumerate((0.299, 0.587, 0.114)))


def window(x):
    return F.avg_pool2d(x, 9, 1, 4, count_include_pad=False)


def content(made, photograph):
    def at(reduction):
        a, b = (F.avg_pool2d(luma(x), reduction) for x in (made, photograph))
        va, vb = window(a * a) - window(a) ** 2, window(b * b) - window(b) ** 2
        correlation = (window(a * b) - window(a) * window(b)) / torch.sqrt((va + 1e-4) * (vb + 1e-4) + 1e-8)
        weight = vb / (vb + 2e-3)
        return ((weight * (1 - correlation)).mean((1, 2, 3)) / (weight.mean((1, 2, 3)) + 0.02)).mean()

    def overall():
        a, b = (F.avg_pool2d(luma(x), 8) for x in (made, photograph))
        a, b = (x - x.mean((1, 2, 3), keepdim=True) for x in (a, b))
        va, vb, cov = ((x).mean((1, 2, 3)) for x in (a * a, b * b, a * b))
        return (vb / (vb + 2e-3) * (1 - cov / torch.sqrt((va + 1e-4) * (vb + 1e-4) + 1e-8))).mean()

    tone = (F.avg_pool2d(luma(made), 16) - F.avg_pool2d(luma(photograph), 16)).abs().mean()
    return (at(4) / 4 + at(8) / 2 + at(16) / 4) * 0.75 + overall() / 4 + tone * 0.75


def distribution(x, photograph, strength):
    """Sorted against what is so far between sorted and sorted, at a sixteenth: filters and quantiles as the test makes them."""
    filters = torch.from_numpy(fill("filters", 4 * 3 * 4).astype("float64")).reshape(4, 3, 2, 2) / 3
    quantiles = torch.from_numpy(fill("quantiles", 4 * 9).astype("float64")).reshape(4, 9).sort(-1).values
    responses, before = (F.conv2d(F.avg_pool2d(y, 16), filters).flatten(2).sort(-1).values for y in (x, photograph))
    variance = F.avg_pool2d(luma(photograph)[:, 0], 8).var((1, 2), correction=0)
    spread = (0.3 + 0.7 * torch.sqrt(variance / (variance + 2e-3))).reshape(-1, 1, 1)
    middle = quantiles.mean(-1, keepdim=True)
    wanted = before + strength.reshape(-1, 1, 1) * (middle + spread * (quantiles - middle) - before)
    return ((responses - wanted).abs().mean((1, 2)) * variance / (variance + 1e-2)).mean()


def variation(x):
    return (x[:, :, 1:] - x[:, :, :-1]).square().mean() + (x[:, :, :, 1:] - x[:, :, :, :-1]).square().mean()


def unrest(made, photograph):
    seen = F.avg_pool2d(luma(photograph), 4)
    flat = F.avg_pool2d(5e-4 / (window(seen * seen) - window(seen) ** 2 + 5e-4), 4)
    low = F.avg_pool2d(made, 16)
    down = (low[:, :, 1:] - low[:, :, :-1]).square() * flat[:, :, 1:] * flat[:, :, :-1]
    across = (low[:, :, :, 1:] - low[:, :, :, :-1]).square() * flat[:, :, :, 1:] * flat[:, :, :, :-1]
    return down.mean() + across.mean()


if __name__ == "__main__":
    p = Weights()
    pixels = ((torch.from_numpy(fill("photographs", BATCH * 3 * SIDE**2).astype("float64")) / math.sqrt(3) + 1) * 128).floor()
    photographs = pixels.reshape(BATCH, 3, SIDE, SIDE) / 255
    noise = torch.from_numpy(fill("noise", BATCH * NOISE * (SIDE // 4) ** 2).astype("float64")).reshape(BATCH, NOISE, SIDE // 4, SIDE // 4)
    made = paint(p, photographs, noise, torch.tensor([0.25, 1.0], dtype=torch.float64).reshape(BATCH, 1, 1, 1))
    strength = torch.tensor([0.25, 1.0], dtype=torch.float64)
    losses = {"content": content(made, photographs), "variation": variation(made), "distribution": distribution(made, photographs, strength), "unrest": unrest(made, photographs)}
    gradients = {name: dict(zip(p, torch.autograd.grad(loss, list(p.values()), retain_graph=True))) for name, loss in losses.items()}
    h, w = 40, 56
    y, x = torch.meshgrid(torch.arange(h).double(), torch.arange(w).double(), indexing="ij")
    rings = torch.sin(torch.hypot(x - 20, y - 10) / 4) / 4 + 0.5
    white = torch.from_numpy(fill("white", 6 * h * w).astype("float64")).reshape(6, h, w)
    painter = {
        "smeared": summary(smeared(rings.float().double(), white)),
        "made": summary(made),
        **{name: loss.item() for name, loss in losses.items()},
        "gradients": {name: {weight: summary(g) for weight, g in each.items()} for name, each in gradients.items()},
    }
    write(pathlib.Path(__file__).parents[2] / "packages/nets/src/style/reference.json", {"painter": painter})
