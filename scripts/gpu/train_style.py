#!/usr/bin/env python3
"""Trains a style on a GPU, by the steps of `zeuxis train style` (packages/nets/src/style).

    python3 scripts/gpu/train_style.py PAINTING CONTENT OUT [--scale 1.5] [--content-weight 1.5] ... --minutes 8     (PyTorch with CUDA, NumPy, Pillow)
    node scripts/gpu/style-weights.mjs RUN OUT     (where Zeuxis is: into the model of RUN, which `zeuxis train style ... --images 1` began)

Several at once fill a GPU: one a process, with one file of --laid strokes for all, which the first of them makes. OUT gets weights.f32, the averaged
weights, trained.json, which says where in it each of them is, and state.pt, which --resume goes on from. The network, its losses and its strokes are those of scripts/reference/style.py,
against which the tests hold the product's.
"""
import argparse
import json
import math
import os
import pathlib
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "reference"))
from style import NOISE, content, luma, paint, smeared, unrest, variation

torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIDE, FRAME, GRAIN, PAINTED = 448, 16, 4, 480
# flow.ts: what brings each brush to a deviation of 2, and where strokes are cut off.
GAINS, MOST = (1.0472, 0.9925, 0.9552, 0.9412), 4.4
# distribution.ts: reduction, stride, kernel, filters.
COLOURS = ((1, 5, 1, 24), (2, 3, 1, 24), (4, 1, 1, 24), (8, 1, 1, 24), (16, 1, 1, 24))
PATCHES = ((4, 2, 7, 64), (8, 1, 7, 64))
LARGE, SAMPLES = 16, 16384
# loss.ts: the discriminator.
REDUCTIONS = (1, 2, 4, 8)
# trainer.ts and step.ts.
RATE, BETA2, PENALTY_EVERY, VARIATION, FAITHFUL, TYPICAL_STEPS = 2e-3, 0.99, 4, 6, 4, 100
# style-training.ts: of so many crops one is magnified, its sides so many times.
MAGNIFIED, MAGNIFICATION = 8, 4


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("painting", type=pathlib.Path)
    parser.add_argument("content", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    for name, default in (("scale", 1.5), ("content-weight", 1.5), ("palette", 14), ("strokes", 1), ("patches", 1), ("calm", 30), ("gamma", 0.1), ("rate-scale", 1)):
        parser.add_argument(f"--{name}", type=float, default=default)
    parser.add_argument("--counts", type=float, nargs=4, default=(0.05, 0.25, 0.35, 0.35), help="what the discriminator's four scales count")
    parser.add_argument("--prefer", default="", help="take crops of the pictures whose names begin so ...")
    parser.add_argument("--preferred", type=float, default=0, help="... so often, before all are drawn from alike")
    parser.add_argument("--laid", type=pathlib.Path, help="file of strokes, made where there is none")
    parser.add_argument("--resume", type=pathlib.Path, help="state.pt of an earlier run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float, default=8)
    return parser.parse_args()


def picture(path, shorter):
    """uint8 [3, h, w], with a shorter side of so many px."""
    image = Image.open(path).convert("RGB")
    share = shorter / min(image.size)
    image = image.resize([max(shorter, round(side * share)) for side in image.size], Image.LANCZOS)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().to(DEVICE)


def unit(pixels):
    return pixels.float() / 255


def box(x, reduction):
    return x if reduction == 1 else F.avg_pool2d(x, reduction)


class Trained(dict):
    """Weights by name, drawn when first asked for, and the moments of each layer that were last seen."""

    def __init__(self):
        self.measured = {}

    def __call__(self, name, shape, deviation):
        if name not in self:
            self[name] = (torch.randn(shape) * deviation if deviation else torch.zeros(shape)).to(DEVICE).requires_grad_()
        return self[name]

    def flatten(self):
        """One vector, of which the weights are views from now on."""
        flat, at = torch.cat([weight.detach().flatten() for weight in self.values()]), 0
        for name in self:
            size = self[name].numel()
            self[name] = flat[at : at + size].view(self[name].shape).requires_grad_()
            at += size
        return flat


def judge(p, x):
    """Logits of patches, [n, patches], finest first."""
    gain, out = math.sqrt(2 / (1 + 0.2**2)), []

    def layer(name, y, width, kernel, stride, gain):
        w = p(f"{name}.weight", (width, y.shape[1], kernel, kernel), gain / math.sqrt(y.shape[1] * kernel**2))
        return F.conv2d(y, w, stride=stride, padding=1) + p(f"{name}.bias", (1, width, 1, 1), 0)

    for reduction in REDUCTIONS:
        y = box(x, reduction)
        for i, width in enumerate((32, 64, 128)):
            y = F.leaky_relu(layer(f"{reduction}.down{i}", y, width, 4, 2 if i < 2 else 1, gain), 0.2)
        out.append(layer(f"{reduction}.logit", y, 1, 3, 1, 1).flatten(1))
    return out


def shares_of(logits, counts):
    """What each patch counts, a mean of 1."""
    total = sum(each.shape[1] for each in logits)
    return torch.cat([torch.full((each.shape[1],), count * total / each.shape[1], device=DEVICE) for each, count in zip(logits, counts)])


def bank(painting, reduction, stride, kernel, count):
    """Random filters, and the painting's responses to them, ascending."""
    image = box(unit(painting)[None], reduction)[0]
    filters = torch.randn(count, 3 * kernel**2, device=DEVICE)
    filters /= filters.norm(dim=1, keepdim=True)
    y, x = (torch.randint(0, side - kernel + 1, (SAMPLES,), device=DEVICE) for side in image.shape[1:])
    seen = torch.stack([image[:, y + i, x + j] for i in range(kernel) for j in range(kernel)], -1).permute(1, 0, 2).reshape(SAMPLES, -1)
    responses = seen @ filters.T
    if kernel > 1:
        scale = 1 / responses.square().mean(0).sqrt().clamp_min(1e-3)
        filters, responses = filters * scale[:, None], responses * scale
    return reduction, stride, filters.reshape(count, 3, kernel, kernel), responses.sort(0).values.T.contiguous()


def distribution(x, photograph, banks, strength):
    variance = box(luma(photograph), 8).var((1, 2, 3), correction=0)
    spread, contrast, total = (0.3 + 0.7 * torch.sqrt(variance / (variance + 2e-3))).reshape(-1, 1, 1), variance / (variance + 1e-2), 0
    for reduction, stride, filters, quantiles in banks:
        responses, before = (F.conv2d(box(y, reduction), filters, stride=stride).flatten(2).sort(-1).values for y in (x, photograph))
        ranks = ((torch.arange(responses.shape[2], device=DEVICE) + 0.5) / responses.shape[2] * SAMPLES).long()
        painting = quantiles[:, ranks]
        middle = painting.mean(-1, keepdim=True)
        wanted = before + strength.reshape(-1, 1, 1) * (middle + spread * (painting - middle) - before)
        counts = contrast if reduction >= LARGE else torch.ones_like(contrast)
        total = total + ((responses - wanted).abs().mean((1, 2)) * counts).mean()
    return total / max(1, len(banks))


@torch.no_grad()
def laid(pictures, path, variants=2):
    """Strokes of every picture, so many of each; crops take theirs out of them."""
    if path and path.exists():
        return [[each.to(DEVICE).float() for each in own] for own in torch.load(path)]
    all_ = []
    for pixels in pictures:
        h, w = (side // GRAIN * GRAIN for side in pixels.shape[1:])
        seen = luma(box(unit(pixels[None, :, :h, :w]), GRAIN))[0, 0]
        own = [smeared(seen, torch.randn(NOISE + 2, *seen.shape, device=DEVICE)) for _ in range(variants)]
        all_.append([(each * torch.tensor(GAINS, device=DEVICE)[:, None, None]).clamp(-MOST, MOST) for each in own])
    if path:
        partial = path.with_suffix(f".{os.getpid()}")
        torch.save([[each.half().cpu() for each in own] for own in all_], partial)
        partial.replace(path)
    return all_


class Training:
    def __init__(self, given):
        self.given = given
        torch.manual_seed(given.seed)
        self.random = np.random.default_rng(given.seed)
        self.painting = picture(given.painting, round(PAINTED * given.scale))
        files = sorted(path for path in given.content.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
        sides = (SIDE, round(SIDE * 8 / 7))
        self.photographs = [picture(path, side) for path in files for side in sides]
        self.whole = len(self.photographs)
        # The same for every seed, as --laid strokes are for all.
        places = np.random.default_rng(0)
        self.photographs += [self.detail(pixels, places) for pixels in self.photographs]
        self.preferred = [i for i, path in enumerate(path for path in files for _ in sides) if given.prefer and path.name.startswith(given.prefer)]
        self.strokes = laid(self.photographs, given.laid)
        if len(self.strokes) != len(self.photographs):
            sys.exit(f"{given.laid} holds strokes of {len(self.strokes)} pictures, and there are {len(self.photographs)}; leave another name to be made")
        self.banks = [[bank(self.painting, *each) for each in kind] for kind in (COLOURS, PATCHES if given.patches else ())]
        self.painter, self.judge = Trained(), Trained()
        with torch.no_grad():
            blank = torch.zeros(1, 3, SIDE, SIDE, device=DEVICE)
            paint(self.painter, blank, torch.zeros(1, NOISE, SIDE // GRAIN, SIDE // GRAIN, device=DEVICE), torch.ones(1, 1, 1, 1, device=DEVICE))
            self.shares = shares_of(judge(self.judge, self.inner(blank)), given.counts)
        weights, judging = self.painter.flatten(), self.judge.flatten()
        self.vectors = {"weights": weights, "judge": judging, "moment": torch.zeros_like(weights), "judge_moment": torch.zeros_like(judging), "average": weights.clone()}
        self.first = 0
        if given.resume:
            state = torch.load(given.resume)
            self.first = state["steps"]
            for name, vector in self.vectors.items():
                vector.detach().copy_(state["vectors"][name])
        self.rate, self.correction, self.decay, self.share = (torch.zeros((), device=DEVICE) for _ in range(4))
        self.feeds = {
            "photograph": torch.zeros(1, 3, SIDE, SIDE, device=DEVICE),
            "painting": torch.zeros(1, 3, SIDE, SIDE, device=DEVICE),
            "noise": torch.zeros(1, NOISE, SIDE // GRAIN, SIDE // GRAIN, device=DEVICE),
            "strength": torch.ones(1, 1, 1, 1, device=DEVICE),
        }
        self.graphs = {}

    @staticmethod
    def detail(pixels, places):
        small = SIDE // MAGNIFICATION
        y, x = (int(places.integers(side - small + 1)) for side in pixels.shape[1:])
        large = F.interpolate(pixels[None, :, y : y + small, x : x + small].float(), scale_factor=MAGNIFICATION, mode="bicubic")
        return large[0].round().clamp(0, 255).byte()

    @staticmethod
    def inner(x):
        return x[:, :, FRAME:-FRAME, FRAME:-FRAME]

    def draw(self, step):
        """One crop of a photograph, its strokes, and one of the painting: a batch of one leads furthest."""
        random, given = self.random, self.given
        i = random.choice(self.preferred) if self.preferred and random.random() < given.preferred else random.integers(self.whole)
        if random.integers(MAGNIFIED) == 0:
            i = self.whole + random.integers(self.whole)
        pixels = self.photographs[i]
        y, x = (int(random.integers((side - SIDE) // GRAIN + 1)) * GRAIN for side in pixels.shape[1:])
        strokes = self.strokes[i][random.integers(len(self.strokes[i]))]
        crop, own = pixels[:, y : y + SIDE, x : x + SIDE], strokes[:, y // GRAIN : (y + SIDE) // GRAIN, x // GRAIN : (x + SIDE) // GRAIN]
        if random.random() < 0.5:
            crop, own = crop.flip(2), own.flip(2)
        y, x = (int(random.integers(side - SIDE + 1)) for side in self.painting.shape[1:])
        seen = self.painting[:, y : y + SIDE, x : x + SIDE]
        self.feeds["photograph"].copy_(unit(crop)[None])
        self.feeds["noise"].copy_(own[None])
        self.feeds["painting"].copy_(unit(seen.flip(2) if random.random() < 0.5 else seen)[None])
        # Half of all crops are painted with all strength, the others with any.
        self.feeds["strength"].fill_(1 if step % 2 == 0 else random.random())

    def adam(self, weights, moment, gradients, rate):
        with torch.no_grad():
            gradient = torch.cat([each.flatten() for each in gradients])
            moment.add_((1 - BETA2) * (gradient * gradient - moment))
            weights.sub_(rate * gradient / ((moment * self.correction).sqrt() + 1e-8))

    def step(self, penalised):
        """Both players, once; what is told of it."""
        given, v, strength = self.given, self.vectors, self.feeds["strength"]
        painting, photograph = self.inner(self.feeds["painting"]), self.inner(self.feeds["photograph"])
        made = self.inner(paint(self.painter, self.feeds["photograph"], self.feeds["noise"], strength))

        def game(ahead, behind):
            return (F.softplus(behind - ahead) * self.shares * strength.reshape(-1, 1)).mean()

        pictures = (2 * torch.cat([painting, made.detach()]) - 1).requires_grad_(penalised)
        logits = torch.cat(judge(self.judge, pictures), 1)
        lost = game(logits[:1], logits[1:])
        if penalised:
            (slopes,) = torch.autograd.grad((logits * self.shares.sqrt()).sum(), pictures, create_graph=True)
            lost = lost + 0.5 * given.gamma * PENALTY_EVERY * slopes.square().sum() / logits[:1].numel()
        self.adam(v["judge"], v["judge_moment"], torch.autograd.grad(lost, list(self.judge.values())), self.rate / 2)

        logits = torch.cat(judge(self.judge, 2 * torch.cat([painting, made]) - 1), 1)
        strokes, lead = game(logits[1:], logits[:1]), (logits[:1] - logits[1:]).sign().mean()
        palette, patches = (distribution(made, photograph, banks, strength) for banks in self.banks)
        structure, calm = content(made, photograph), unrest(made, photograph)
        unpainted = ((made - photograph).abs() * (1 - strength)).mean()
        total = given.strokes * strokes + given.palette * palette + given.patches * patches + given.content_weight * structure
        total = total + given.calm * calm + FAITHFUL * unpainted + VARIATION * variation(made)
        slopes = torch.autograd.grad(total, list(self.painter.values()))
        self.adam(v["weights"], v["moment"], [each * (".typical." not in name) for name, each in zip(self.painter, slopes)], self.rate)
        with torch.no_grad():
            v["average"].add_((1 - self.decay) * (v["weights"] - v["average"]))
            parts = v["average"].split([weight.numel() for weight in self.painter.values()])
            averages = {name: part.view(weight.shape) for (name, weight), part in zip(self.painter.items(), parts)}
            for name, (mean, variance) in self.painter.measured.items():
                for known in (self.painter, averages):
                    means, variances = known[f"{name}.typical.mean"], known[f"{name}.typical.variance"]
                    away = mean - means
                    means.add_(self.share * away)
                    # What a variance is counts from 1 on.
                    variances.add_(self.share * (variance - 1 - variances + (1 - self.share) * away**2))
        return torch.stack([strokes, lead, palette, structure, calm]).detach()

    def run(self, penalised):
        """A step as a CUDA graph: launching its kernels one by one takes longer than they do."""
        if DEVICE == "cpu":
            return self.step(penalised)
        if penalised not in self.graphs:
            before = {name: vector.clone() for name, vector in self.vectors.items()}
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self.step(penalised)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                told = self.step(penalised)
            for name, vector in self.vectors.items():
                vector.detach().copy_(before[name])
            self.graphs[penalised] = graph, told
        graph, told = self.graphs[penalised]
        graph.replay()
        return told

    def train(self):
        given, start = self.given, time.time()
        step = self.first
        while True:
            done = (step - self.first) / given.steps if given.steps else (time.time() - start) / 60 / given.minutes
            if done >= 1:
                break
            half = min(300, step * 0.03)
            self.rate.fill_(RATE * given.rate_scale * (0.05 + 0.475 * (1 + math.cos(math.pi * done))))
            self.correction.fill_(1 / (1 - BETA2 ** (step + 1)))
            self.decay.fill_(0 if half < 1 else 0.5 ** (1 / half))
            self.share.fill_(1 / min(TYPICAL_STEPS, step + 1))
            self.draw(step)
            told = self.run(step % PENALTY_EVERY == 0)
            step += 1
            if step % 200 == 0:
                named = zip(("strokes", "lead", "palette", "structure", "calm"), told.tolist())
                print(f"{given.out.name} {step} crops, {time.time() - start:.0f} s: {', '.join(f'{name} {value:.4f}' for name, value in named)}", flush=True)
        return step, time.time() - start

    def write(self, steps, seconds):
        given, at, names = self.given, 0, {}
        given.out.mkdir(parents=True, exist_ok=True)
        average = self.vectors["average"].detach().cpu().numpy().copy()
        for name, weight in self.painter.items():
            names[name] = [at, weight.numel()]
            # The reference counts what a channel is multiplied by, and typical variances, from 1 on, the product from 0.
            if name.endswith((".scale", ".typical.variance")) and ".eased." not in name:
                average[at : at + weight.numel()] += 1
            at += weight.numel()
        average.astype("<f4").tofile(given.out / "weights.f32")
        torch.save({"steps": steps, "vectors": {name: vector.detach().cpu() for name, vector in self.vectors.items()}}, given.out / "state.pt")
        told = {"steps": steps, "seconds": round(seconds)}
        (given.out / "trained.json").write_text(json.dumps({**told, "names": names}))
        print(given.out, told)


if __name__ == "__main__":
    training = Training(options())
    training.write(*training.train())
