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

FAST = {4: 128, 8: 96, 16: 48, 32: 24}


def fast_generator(p, z, labels):
    def up(name, x, out):
        w = p(f"{name}.weight", (x.shape[1], out, 3, 3), GAIN / math.sqrt(x.shape[1] * 9))
        return F.conv2d(F.interpolate(x, scale_factor=2), w.transpose(0, 1).flip(2, 3), padding=1)

    def rgb(side, x):
        kernel = 3 if side == SIZE else 1
        w = p(f"rgb{side}.weight", (3, x.shape[1], kernel, kernel), 0.1 / math.sqrt(x.shape[1] * kernel**2))
        return F.conv2d(x, w, p(f"rgb{side}.bias", (3,), 0), padding=kernel // 2)

    w = torch.cat([z, labels @ p("embedding", (labels.shape[1], 64), 1)], 1)
    x = lrelu(linear(p, "base", w, FAST[4] * 16, GAIN).reshape(-1, FAST[4], 4, 4))
    picture, side = 0, 8
    while side <= SIZE:
        x = up(f"up{side}", x, FAST[side])
        scale = linear(p, f"style{side}.scale", w, FAST[side], 0.5)[:, :, None, None]
        shift = linear(p, f"style{side}.shift", w, FAST[side], 0.2)[:, :, None, None]
        x = lrelu(x * (1 + scale) + shift)
        if side > 8:
            picture = F.interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)
        picture = picture + rgb(side, x)
        side *= 2
    return picture


def fast_discriminator(p, x, labels):
    side = SIZE // 2
    while side >= 4:
        w = p(f"down{side}.weight", (FAST[side], x.shape[1], 4, 4), GAIN / math.sqrt(x.shape[1] * 16))
        x = lrelu(F.conv2d(x, w, p(f"down{side}.bias", (FAST[side],), 0), stride=2, padding=1))
        side //= 2
    features = linear(p, "features", x.flatten(1), 128)
    direction = labels @ p("classes", (labels.shape[1], 128), 128**-0.5) + p("common", (128,), 128**-0.5)
    return (features * direction).sum(1)


# r3: packages/nets/src/gan/r3.ts

R3 = {4: 256, 8: 256, 16: 128, 32: 64}
BLOCKS, EXPANSION, GROUP = 2, 2, 16
FIXUP = (BLOCKS * (int(math.log2(SIZE)) - 1)) ** -0.25


def r3_conv(p, name, x, out, kernel, gain=1.0, groups=1):
    w = p(f"{name}.weight", (out, x.shape[1] // groups, kernel, kernel), gain / math.sqrt(x.shape[1] // groups * kernel**2))
    return F.conv2d(x, w, padding=kernel // 2, groups=groups)


def r3_blocks(p, side, x):
    for i in range(BLOCKS):
        name, inner = f"at{side}.block{i}", x.shape[1] * EXPANSION
        activate = lambda part, y: lrelu(y + p(f"{name}.{part}.bias", (inner,), 0)[:, None, None])
        y = activate("expand", r3_conv(p, f"{name}.expand", x, inner, 1, GAIN * FIXUP))
        y = activate("grouped", r3_conv(p, f"{name}.grouped", y, inner, 3, GAIN * FIXUP, inner // GROUP))
        x = x + r3_conv(p, f"{name}.reduce", y, x.shape[1], 1, 0)
    return x


def r3_resample(x, up):
    """R3GAN's own resampling: one 4x4 filter over every channel."""
    f = torch.tensor([1.0, 3, 3, 1], dtype=x.dtype)
    kernel = (f[:, None] * f / 64)[None, None]
    flat = x.reshape(-1, 1, *x.shape[2:])
    y = F.conv_transpose2d(flat, 4 * kernel, stride=2, padding=1) if up else F.conv2d(flat, kernel, stride=2, padding=1)
    return y.reshape(*x.shape[:2], *y.shape[2:])


def r3_widen(p, side, x, channels):
    return x if x.shape[1] == channels else r3_conv(p, f"at{side}.widen", x, channels, 1)


def r3_generator(p, z, labels):
    w = torch.cat([z, labels @ p("embedding", (labels.shape[1], 64), labels.shape[1] ** -0.5)], 1)
    scales = w @ p("base.weight", (w.shape[1], R3[4]), w.shape[1] ** -0.5)
    x = r3_blocks(p, 4, p("basis", (1, R3[4], 4, 4), 1) * scales[:, :, None, None])
    side = 8
    while side <= SIZE:
        x = r3_blocks(p, side, r3_resample(r3_widen(p, side, x, R3[side]), True))
        side *= 2
    return r3_conv(p, "rgb", x, 3, 1)


def r3_discriminator(p, x, labels):
    side, y = SIZE, r3_conv(p, "rgb", x, R3[SIZE], 1)
    while side > 4:
        y = r3_widen(p, side, r3_resample(r3_blocks(p, side, y), False), R3[side // 2])
        side //= 2
    y = r3_blocks(p, 4, y)
    basis = F.conv2d(y, p("basis", (1, R3[4], 4, 4), 0.25).transpose(0, 1), groups=R3[4]).flatten(1)
    features = basis @ p("logit.weight", (R3[4], 64), R3[4] ** -0.5)
    return (features * (labels @ p("embedding", (labels.shape[1], 64), (64 * labels.shape[1]) ** -0.5))).sum(1)


PRESETS = {"fast": (fast_generator, fast_discriminator), "r3": (r3_generator, r3_discriminator)}

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
    seed = max(range(12), key=margin)
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
