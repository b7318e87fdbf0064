#!/usr/bin/env python3
"""The PyTorch side of the generation benchmark: forward passes of the reference generators, in evaluation mode.

    torch_forward.py PEERS_FOLDER NET THREADS BATCH REPS     -> {"net", "images_per_s"}
"""
import json, pathlib, statistics, sys, time
import torch

sys.dont_write_bytecode = True
folder, net, threads, batch, reps = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
sys.path.insert(0, folder)
import torch_gan_step as peers

torch.set_num_threads(threads)
torch.manual_seed(0)
generator = (peers.StridedG if net == 'strided' else peers.ResidualG)().eval()
times = []
with torch.inference_mode():
    for i in range(reps + 2):
        z = torch.randn(batch, 64)
        start = time.perf_counter()
        generator(z)
        times.append(time.perf_counter() - start)
print(json.dumps({"net": net, "images_per_s": batch / statistics.median(times[2:])}))
