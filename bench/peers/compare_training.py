#!/usr/bin/env python3
"""Training throughput on an NVIDIA GPU against PyTorch: the same network, batch 128, SGD, bf16, channels-last.

Ours is `hacscale train`, with loading and augmentation. PyTorch trains the code that `hacscale models export` writes, on
images that already lie on the GPU: its own speed, with no loader in the way. `eager` is the loop of its tutorials with
autocast; `compile` is the same through torch.compile(mode="reduce-overhead"), which captures CUDA graphs. Turns alternate;
prints medians of images a second, and the median of the rounds' ratios of ours to each.

usage: compare_training.py --hacscale PROGRAM --data DIR [--rounds N] [--compile] [MODEL...]
"""
import argparse
import importlib.util
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
from torch.nn import functional as F

BATCH = 128
RECIPE = """name: speed
epochs: {epochs}
batch: 128
momentum: 0.9
nesterov: true
schedule: one_cycle
peak_learning_rate: 0.1
warmup_epochs: 1
weight_decay: 0.0005
label_smoothing: 0.1
ema_decay: 0
augmentation: {{flip: true, crop_padding: 4, cutout: 0}}
precision: bf16
channels_last: true
"""


def ours(options, model, folder, seed):
    """Images a second of one run, which is not kept."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(epochs=options.epochs))
    answer = subprocess.run(
        [options.hacscale, "train", model, "--data", options.data, "--recipe", recipe, "--seed", str(seed), "--device",
         options.device, "--record", folder / "records.db", "--checkpoints", folder / "checkpoints", "--json"],
        check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["runs"][0]["images_per_s"]


def exported(options, model, folder):
    file = folder / "network.py"
    answer = subprocess.run([options.hacscale, "models", "export", model, "--out", file, "--json"], check=True,
                            capture_output=True, text=True)
    spec = importlib.util.spec_from_file_location("network", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, json.loads(answer.stdout)["class"])()


class Peer:
    def __init__(self, options, model, folder, compiled):
        self.network = exported(options, model, folder).to(options.device, memory_format=torch.channels_last).train()
        self.forward = torch.compile(self.network, mode="reduce-overhead") if compiled else self.network
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9, nesterov=True,
                                         weight_decay=5e-4)
        images = torch.randn(16, BATCH, 3, 32, 32, device=options.device)
        self.images = [batch.to(memory_format=torch.channels_last) for batch in images]
        self.labels = torch.randint(0, 10, (16, BATCH), device=options.device)
        self.steps(20)

    def steps(self, count):
        for step in range(count):
            self.optimizer.zero_grad()
            with torch.autocast("cuda", torch.bfloat16):
                logits = self.forward(self.images[step % 16])
            F.cross_entropy(logits.float(), self.labels[step % 16], label_smoothing=0.1).backward()
            self.optimizer.step()
        torch.cuda.synchronize()

    def images_per_s(self, steps):
        begin = time.perf_counter()
        self.steps(steps)
        return BATCH * steps / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["resnet20-cifar", "mobilenetv2-0.35-cifar"])
    parser.add_argument("--hacscale", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="of ours, a round")
    parser.add_argument("--compile", action="store_true", help="beside eager PyTorch")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    for model in options.models:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            ways = ["eager"] + (["compile"] if options.compile else [])
            peers = {way: Peer(options, model, folder, way == "compile") for way in ways}
            mine, theirs = [], {way: [] for way in ways}
            for turn in range(options.rounds):
                mine.append(ours(options, model, folder, turn + 1))
                for way, peer in peers.items():
                    theirs[way].append(peer.images_per_s(200))
        for way in ways:
            ratio = statistics.median(m / t for m, t in zip(mine, theirs[way]))
            print(f"{model:<24} ours {statistics.median(mine):>9.0f} images/s   PyTorch {way} "
                  f"{statistics.median(theirs[way]):>9.0f}   ratio {ratio:.2f}", flush=True)


main()
