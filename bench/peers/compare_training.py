#!/usr/bin/env python3
"""Training throughput against PyTorch: the same network, batch 128, SGD, bf16, channels-last, on a GPU or on CPUs.

Ours is `hacscale train`, with loading and augmentation. PyTorch trains the code that `hacscale models export` writes, on
the same files, through torchvision's transforms and a DataLoader, with the same crops and flips; with --in-memory on images
that already lie in the device's memory, which is its own speed, with no loader in the way. --data is CIFAR-10's binary
files or a folder of JPEG images in train/ and val/. `eager` is the loop of PyTorch's tutorials with autocast; `compile` is
the same through torch.compile, with mode="reduce-overhead" on GPUs, which captures CUDA graphs. Turns alternate; prints
medians of images a second, and the median of the rounds' ratios of ours to each.

usage: compare_training.py --hacscale PROGRAM --data DIR [--device cpu] [--rounds N] [--in-memory] [--compile] [MODEL...]
"""
import argparse
import importlib.util
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision import datasets, transforms

BATCH = 128
CROP = {"scale": [0.35, 1], "ratio": [0.75, 4 / 3]}
RECIPE = """name: speed
epochs: {epochs}
batch: {batch}
momentum: 0.9
nesterov: true
schedule: one_cycle
peak_learning_rate: 0.1
warmup_epochs: {warmup}
weight_decay: 0.0005
label_smoothing: 0.1
ema_decay: 0
augmentation: {augmentation}
precision: {precision}
channels_last: true
"""


def has_photographs(options):
    return (pathlib.Path(options.data) / "train").is_dir()


def ours(options, model, folder, seed):
    """The record of one run; its throughput is `images_per_s`."""
    recipe = folder / "recipe.yaml"
    crop = f"random_resized_crop: {json.dumps(CROP)}" if has_photographs(options) else "crop_padding: 4"
    recipe.write_text(RECIPE.format(epochs=options.epochs, batch=BATCH, warmup=options.epochs / 3,
                                    precision=options.precision, augmentation=f"{{flip: true, cutout: 0, {crop}}}"))
    command = [options.hacscale, "train", model, "--data", options.data, "--recipe", recipe, "--seed", seed, "--device",
               options.device, "--threads", options.threads, "--record", folder / "records.db", "--checkpoints",
               folder / "checkpoints", "--json"]
    if options.resolution:
        command += ["--resolution", options.resolution]
    answer = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["runs"][0]


def exported(options, model, folder):
    file = folder / "network.py"
    answer = subprocess.run([options.hacscale, "models", "export", model, "--out", file, "--json"], check=True,
                            capture_output=True, text=True)
    exported_class = json.loads(answer.stdout)["class"]
    spec = importlib.util.spec_from_file_location("network", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, exported_class)()


def batches_in_memory(options, resolution):
    images = torch.randn(16, BATCH, 3, resolution, resolution, device=options.device)
    labels = torch.randint(0, 10, (16, BATCH), device=options.device)
    return itertools.cycle([(batch.to(memory_format=torch.channels_last), label) for batch, label in zip(images, labels)])


class Cifar(torch.utils.data.Dataset):
    """The training images of CIFAR-10's binary files, as torchvision has them: PIL images."""

    def __init__(self, folder, transform):
        records = np.concatenate([np.fromfile(file, np.uint8) for file in sorted(folder.glob("data_batch_*.bin"))])
        records = records.reshape(-1, 1 + 3 * 32 * 32)
        self.labels = records[:, 0].astype(np.int64)
        self.images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def loaded_batches(options, resolution):
    folder = pathlib.Path(options.data)
    crop = (transforms.RandomResizedCrop(resolution, scale=CROP["scale"], ratio=CROP["ratio"])
            if has_photographs(options) else transforms.RandomCrop(resolution, padding=4))
    transform = transforms.Compose([crop, transforms.RandomHorizontalFlip(), transforms.ToTensor(),
                                    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    images = (datasets.ImageFolder(folder / "train", transform) if has_photographs(options) else Cifar(folder, transform))
    loader = torch.utils.data.DataLoader(images, batch_size=BATCH, shuffle=True, drop_last=True,
                                         num_workers=options.workers, persistent_workers=options.workers > 0)
    while True:
        for batch, labels in loader:
            yield batch.to(options.device, memory_format=torch.channels_last), labels.to(options.device)


class Peer:
    def __init__(self, options, network, resolution, compiled):
        self.options = options
        self.network = network.to(options.device, memory_format=torch.channels_last).train()
        on_gpu = options.device != "cpu"
        self.forward = self.network
        if compiled:
            self.forward = torch.compile(self.network, mode="reduce-overhead" if on_gpu else "default")
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9, nesterov=True,
                                         weight_decay=5e-4)
        self.batches = (batches_in_memory if options.in_memory else loaded_batches)(options, resolution)
        self.steps(20 if on_gpu else 5)

    def steps(self, count):
        device = torch.device(self.options.device).type
        for _ in range(count):
            images, labels = next(self.batches)
            self.optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled=self.options.precision == "bf16"):
                logits = self.forward(images)
            F.cross_entropy(logits.float(), labels, label_smoothing=0.1).backward()
            self.optimizer.step()
        if device == "cuda":
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
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of CPU work, ours and PyTorch's")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="of PyTorch's DataLoader")
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--resolution", type=int, help="in pixels; else the model's own")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="of ours, a round")
    parser.add_argument("--steps", type=int, default=200, help="of PyTorch, a round")
    parser.add_argument("--in-memory", action="store_true", help="PyTorch's images lie in the device's memory")
    parser.add_argument("--compile", action="store_true", help="beside eager PyTorch")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.set_num_threads(options.threads)
    ways = ["eager"] + (["compile"] if options.compile else [])
    for model in options.models:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            peers = {}
            mine, waited, theirs = [], [], {way: [] for way in ways}
            for turn in range(options.rounds):
                run = ours(options, model, folder, turn + 1)
                mine.append(run["images_per_s"])
                waited.append(run["data_wait_share"])
                if not peers:
                    # The run's own model has the classes of the data, and the resolution that was asked for.
                    trained = pathlib.Path(run["checkpoints"]) / "model.yaml"
                    resolution = options.resolution or (224 if has_photographs(options) else 32)
                    peers = {way: Peer(options, exported(options, trained, folder), resolution, way == "compile")
                             for way in ways}
                for way, peer in peers.items():
                    theirs[way].append(peer.images_per_s(options.steps))
        for way in ways:
            ratio = statistics.median(m / t for m, t in zip(mine, theirs[way]))
            print(f"{model:<24} ours {statistics.median(mine):>9.0f} images/s ({100 * max(waited):.1f} % waiting)   "
                  f"PyTorch {way} {statistics.median(theirs[way]):>9.0f}   ratio {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
