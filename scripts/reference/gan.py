#!/usr/bin/env python3
"""Writes packages/nets/src/gan/reference-<preset>.json: PyTorch's numbers for a preset's whole networks and ten steps of each.

    /usr/bin/python3 scripts/reference/gan.py [preset ..]        (needs Debian's python3-torch; the tests do not)

The networks are written here a second time, from their definition; a preset is two functions in PRESETS. A function asks
for its weights by the names that packages/nets gives them: p(name, shape, deviation, mean).
"""
import math
import pathlib
import sys
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from common import fill, summary, write

SIZE, CLASSES, BATCH, LATENT = 32, 3, 4, 64
RATE, BETA2, GAMMA, DECAY, STEPS = 2e-4, 0.9, 2.0, 0.8, 10
GAIN = math.sqrt(2 / (1 + 0.2**2))
margins = []


def lrelu(x):
    """Leaky ReLU, noting how near the nearest value is to the kink."""
    margins.append((x.abs().min() / x.square().mean().sqrt()).item())
    return F.leaky_relu(x, 0.2)


class Weights(dict):
    """Weights by name, filled when first asked for. One that starts at zero is filled too, or it would test nothing."""

    def __call__(self, name, shape, deviation, mean=0.0):
        if name not in self:
            values = fill(name, math.prod(shape)).astype("float64") * (deviation or 0.1) + mean
            self[name] = torch.from_numpy(values.astype("float32").astype("float64")).reshape(shape).requires_grad_()
        return self[name]


def linear(p, name, x, out, gain=1.0):
    return x @ p(f"{name}.weight", (x.shape[1], out), gain / math.sqrt(x.shape[1])) + p(f"{name}.bias", (out,), 0)


# fast: packages/nets/src/gan/fast.ts

FAST = {4: 256, 8: 192, 16: 96, 32: 48, 64: 32, 128: 16}


def fast_generator(p, z, labels):
    def up(name, x, out, gain):
        w = p(f"{name}.weight", (x.shape[1], out, 4, 4), gain / math.sqrt(x.shape[1] * 4))
        return F.conv_transpose2d(x, w, stride=2, padding=1)

    w = torch.cat([z, labels @ p("embedding", (labels.shape[1], 64), 1)], 1)
    x = lrelu(linear(p, "base", w, FAST[4] * 16, GAIN).reshape(-1, FAST[4], 4, 4))
    side = 8
    while side < SIZE:
        x = up(f"up{side}", x, FAST[side], GAIN)
        scale = linear(p, f"style{side}.scale", w, FAST[side], 0.5)[:, :, None, None]
        shift = linear(p, f"style{side}.shift", w, FAST[side], 0.2)[:, :, None, None]
        x = lrelu(x * (1 + scale) + shift)
        side *= 2
    return up("rgb", x, 3, 1) + p("rgb.bias", (3,), 0)[:, None, None]


def fast_discriminator(p, x, labels):
    side = SIZE // 2
    while side >= 4:
        w = p(f"down{side}.weight", (FAST[side], x.shape[1], 4, 4), GAIN / math.sqrt(x.shape[1] * 16))
        x = lrelu(F.conv2d(x, w, p(f"down{side}.bias", (FAST[side],), 0), stride=2, padding=1))
        side //= 2
    features = linear(p, "features", x.flatten(1), 128)
    direction = labels @ p("classes", (labels.shape[1], 128), 128**-0.5) + p("common", (128,), 128**-0.5)
    return (features * direction).sum(1)


PRESETS = {"fast": (fast_generator, fast_discriminator)}

# The game, in R3GAN's own spelling: real and fake apart, gradients per picture.


def penalty(discriminate, pictures):
    x = pictures.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminate(x).sum(), x, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def reference(generator, discriminator):
    g, d = Weights(), Weights()
    labels = F.one_hot(torch.arange(BATCH) % CLASSES, CLASSES).double()

    def inputs(seed):
        z = torch.from_numpy(fill(f"z{seed}", BATCH * LATENT).astype("float64")).reshape(BATCH, LATENT)
        byte = (fill(f"real{seed}", BATCH * 3 * SIZE * SIZE).astype("float64") / math.sqrt(3) + 1) * 128
        return z, torch.from_numpy(byte).floor().reshape(BATCH, 3, SIZE, SIZE) / 127.5 - 1

    def margin(seed):
        z, real = inputs(seed)
        margins.clear()
        with torch.no_grad():
            discriminator(d, torch.cat([generator(g, z, labels), real]), labels.repeat(2, 1))
        return min(margins)

    # A value that float32 puts on the other side of the kink changes the gradient by far more than rounding does. Of the
    # 100,000 values here one is always near, so take the inputs that keep the greatest distance.
    seed = max(range(60), key=margin)
    print(f"inputs {seed}: every activation stays {margin(seed):.1e} standard deviations from its kink")
    z, real = inputs(seed)
    generate = lambda: generator(g, z, labels)
    discriminate = lambda x: discriminator(d, x, labels)
    game = lambda: F.softplus(discriminate(generate().detach()) - discriminate(real)).mean()
    norms = lambda: penalty(discriminate, real) + penalty(discriminate, generate())
    counter_game = lambda: F.softplus(discriminate(real) - discriminate(generate())).mean()
    pictures = generate()

    def gradients(loss, weights):
        found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
        zero = lambda w, v: torch.zeros_like(w) if v is None else v
        return {name: summary(zero(w, v)) for (name, w), v in zip(weights.items(), found)}

    result = {
        "settings": dict(inputs=seed, size=SIZE, classes=CLASSES, batch=BATCH, rate=RATE, beta2=BETA2, gamma=GAMMA, decay=DECAY),
        "pictures": summary(pictures),
        "logits": summary(torch.cat([discriminate(real), discriminate(pictures)])),
        "discriminator": gradients(game(), d),
        "penalty": gradients(norms(), d),
        "generator": gradients(counter_game(), g),
    }

    def train(weights, loss, each=lambda: None):
        start = {name: w.detach().clone() for name, w in weights.items()}
        optimiser = torch.optim.Adam(weights.values(), lr=RATE, betas=(0, BETA2), eps=1e-8)
        values = []
        for _ in range(STEPS):
            optimiser.zero_grad()
            value = loss()
            value.backward()
            optimiser.step()
            values.append(value.item())
            each()
        return {
            "losses": values,
            "moved": {name: summary(w - start[name]) for name, w in weights.items()},
            "moment": {name: summary(optimiser.state[w]["exp_avg_sq"]) for name, w in weights.items()},
        }

    # Each network's ten steps start from the same weights, the other standing still.
    before = {name: w.detach().clone() for name, w in d.items()}
    result["discriminator steps"] = train(d, lambda: game() + GAMMA / 2 * norms())
    with torch.no_grad():
        for name, w in d.items():
            w.copy_(before[name])
    average = {name: w.detach().clone() for name, w in g.items()}

    def follow():
        for name, w in g.items():
            average[name].lerp_(w.detach(), 1 - DECAY)

    start = {name: w.clone() for name, w in average.items()}
    result["generator steps"] = train(g, counter_game, follow)
    result["generator steps"]["average"] = {name: summary(w - start[name]) for name, w in average.items()}
    return result


def adam():
    """Ten steps from zero along given gradients of many sizes."""
    w = torch.zeros(1000, dtype=torch.float64, requires_grad=True)
    size = 10.0 ** (torch.arange(1000).double() % 10 - 8)
    optimiser = torch.optim.Adam([w], lr=RATE, betas=(0, BETA2), eps=1e-8)
    for k in range(STEPS):
        w.grad = torch.from_numpy(fill(f"gradient{k}", 1000).astype("float64")) * size
        optimiser.step()
    settings = dict(rate=RATE, beta2=BETA2, steps=STEPS)
    return {"settings": settings, "weights": summary(w), "moment": summary(optimiser.state[w]["exp_avg_sq"])}


folder = pathlib.Path(__file__).parents[2] / "packages/nets/src/gan"
write(folder / "reference-adam.json", adam())
for preset in sys.argv[1:] or PRESETS:
    write(folder / f"reference-{preset}.json", reference(*PRESETS[preset]))
