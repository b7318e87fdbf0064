#!/usr/bin/env python3
"""Writes packages/nets/src/upscaler/reference.json: PyTorch's numbers for both presets' whole networks and for Adam with momentum.

    /usr/bin/python3 scripts/reference/upscaler.py        (needs Debian's python3-torch; the tests do not)

The networks are written here a second time, from their definition, with weights by name: p(name, shape, deviation).
"""
import math
import pathlib
import sys
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from common import Weights, fill, summary, write

BATCH, CHANNELS, SIDE = 2, 3, 12
GAIN = math.sqrt(2 / (1 + 0.1**2))


def conv(p, name, x, out, gain):
    w = p(f"{name}.weight", (out, x.shape[1], 3, 3), gain / math.sqrt(x.shape[1] * 9))
    return F.conv2d(x, w, p(f"{name}.bias", (out,), 0), padding=1)


SOBEL = [[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]
EDGES = [torch.tensor(e, dtype=torch.float64) for e in (SOBEL, list(zip(*SOBEL)), [[0, 1, 0], [1, -4, 1], [0, 1, 0]])]


def ways(p, name, x, out, gain):
    """A convolution as ECBSR trains it: five ways side by side, summed."""
    width = x.shape[1]
    share = gain / math.sqrt(3)
    y = F.conv2d(x, p(f"{name}.weight", (out, width, 3, 3), share / math.sqrt(9 * width)), p(f"{name}.bias", (out,), 0), padding=1)
    wide = F.conv2d(x, p(f"{name}.weight.wide", (2 * width, width), 1 / math.sqrt(width))[:, :, None, None])
    y = y + F.conv2d(wide, p(f"{name}.weight.after", (out, 2 * width, 3, 3), share / math.sqrt(18 * width)), padding=1)
    for i, edge in enumerate(EDGES):
        mixed = F.conv2d(x, p(f"{name}.weight.edge{i}", (out, width, 1, 1), share / math.sqrt(3 * width)))
        y = y + F.conv2d(mixed, p(f"{name}.weight.scale{i}", (out, 1, 1, 1), 0.1) * edge, padding=1, groups=out)
    return y


def upscale(p, x, scale, width, blocks, block):
    head = y = conv(p, "head", x, width, 1.5)
    for i in range(blocks):
        z = y
        for k in range(3):
            z = F.leaky_relu(block(p, f"block{i}.{k}", z, width, GAIN if k < 2 else 0.3), 0.1)
        y = y + z
    detail = conv(p, "tail", conv(p, "join", y, width, 0.5) + head, CHANNELS * scale**2, 0.2)
    # PyTorch's pixel shuffle has a colour's places side by side, the network's tail a place's colours.
    n, c, h, w = detail.shape
    places = detail.reshape(n, scale**2, CHANNELS, h, w).transpose(1, 2).reshape(n, c, h, w)
    return F.pixel_shuffle(places, scale) + F.interpolate(x, scale_factor=scale, mode="nearest")


def network(scale, width, blocks, block):
    p = Weights()
    picture = lambda name, side: ((torch.from_numpy(fill(name, BATCH * CHANNELS * side**2).astype("float64")) / math.sqrt(3) + 1) * 128).floor().reshape(BATCH, CHANNELS, side, side) / 255
    small, large = picture("small", SIDE), picture("large", SIDE * scale)
    made = upscale(p, small, scale, width, blocks, block)
    loss = (made - large).abs().mean()
    gradients = torch.autograd.grad(loss, list(p.values()))
    return {"made": summary(made), "loss": loss.item(), "gradients": {name: summary(g) for name, g in zip(p, gradients)}}


def momentum():
    w = torch.zeros(1000, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=1e-3, betas=(0.9, 0.99), eps=1e-8)
    for k in range(10):
        scale = torch.tensor([10.0 ** (i % 10 - 8) for i in range(1000)], dtype=torch.float64)
        # As the test makes them: float32 products.
        w.grad = torch.from_numpy((fill(f"gradient{k}", 1000).astype("float64") * scale.numpy()).astype("float32").astype("float64"))
        optimiser.step()
    return {"weights": summary(w)}


path = pathlib.Path(__file__).parents[2] / "packages/nets/src/upscaler/reference.json"
plain = {"fast plain": network(2, 32, 3, conv), "best plain": network(4, 48, 4, conv)}
write(path, {**plain, "fast": network(2, 32, 3, ways), "best": network(4, 48, 4, ways), "momentum": momentum()})
