#!/usr/bin/env python3
"""Writes packages/nets/src/upscaler/quality.json and packages/pictures/src/bicubic.json: independent numbers for the measures and the scaling of superresolution.

    /usr/bin/python3 scripts/reference/superresolution.py   (needs Debian's python3-scipy and python3-pil; the tests do not)

psnr, ssim: two pictures of noise, in numpy and scipy.ndimage (Wang et al., 2004: an 11-pixel Gaussian of sigma 1.5, whole
windows alone). bicubic, Lanczos: Pillow's have MATLAB's kernels, antialiasing and centres, but other edges, so the middle is
kept; 'F' pictures, so that nothing is rounded.
"""
import json
import pathlib
import sys
import numpy as np
from PIL import Image
from scipy.ndimage import correlate1d

sys.dont_write_bytecode = True
from common import fill

WIDTH, HEIGHT = 40, 33
a = (fill("a", WIDTH * HEIGHT).astype(np.float64) * 40 + 120).reshape(HEIGHT, WIDTH)
b = a + fill("b", WIDTH * HEIGHT).astype(np.float64).reshape(HEIGHT, WIDTH) * 12

window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
window /= window.sum()
blur = lambda x: correlate1d(correlate1d(x, window, axis=0), window, axis=1)[5:-5, 5:-5]
ma, mb = blur(a), blur(b)
va, vb, cov = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
ssim = (((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean()
psnr = 10 * np.log10(255**2 / ((a - b) ** 2).mean())

noise = np.clip(np.rint(a[:32, :40]), 0, 255)
picture = Image.fromarray(noise.astype(np.float32))
scaled, lanczos = {}, {}
for name, (w, h) in {"0.25": (10, 8), "0.5": (20, 16), "2": (80, 64), "3": (120, 96)}.items():
    values = np.asarray(picture.resize((w, h), Image.BICUBIC))
    values3 = np.asarray(picture.resize((w, h), Image.LANCZOS))
    lanczos[name] = [round(float(v), 3) for v in values3[h // 2, w // 2 - 2 : w // 2 + 2]]
    scaled[name] = [round(float(v), 3) for v in values[h // 2, w // 2 - 2 : w // 2 + 2]]

packages = pathlib.Path(__file__).parents[2] / "packages"
(packages / "nets/src/upscaler/quality.json").write_text(json.dumps({"psnr": psnr, "ssim": ssim}, indent=1) + "\n")
(packages / "pictures/src/bicubic.json").write_text(json.dumps({"picture": [int(v) for v in noise.ravel()], "scaled": scaled, "lanczos": lanczos}) + "\n")
