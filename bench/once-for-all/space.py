#!/usr/bin/env python3
"""Networks of once-for-all's MobileNetV3 space (width 1.2, as its tutorial searches it), for tables that its code reads.

    space.py cover FOLDER [--resolution 224]        nine networks whose layers give every key of the space at a resolution
    space.py random FOLDER [--networks 50 --seed 1] random networks of the space, to check a table with
    space.py check LATENCY.yaml VERIFY.json FOLDER  the table's sums over these networks beside their measured latencies

The space: 5 stages of 2 to 4 blocks, each block with a kernel of 3, 5 or 7 and an expansion of 3, 4 or 6 (ofa/tutorial of
mit-han-lab/once-for-all). docs/formats.md, "Once-for-all's latency table", has the commands around it. Needs Python 3 alone.
"""
import argparse
import json
import os
import random
import re
import statistics

KERNELS, EXPANSIONS, DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)
STEM, LAST, MIXED, CLASSES = 24, 1152, 1536, 1000
# width, stride of the first block, squeeze-excite, hard-swish
STAGES = ((32, 2, False, False), (48, 2, True, False), (96, 2, False, True), (136, 1, True, True), (192, 2, True, True))
SQUEEZE = "squeeze_excite: {ratio: 0.25, divisor: 8, gate: hard_sigmoid}"


def model_text(name, resolution, blocks):
    """blocks: for each stage a list of (kernel, expansion)."""
    lines = [f"name: {name}",
             "source: a network of once-for-all's MobileNetV3 space, width 1.2 (Cai et al. 2020, arXiv 1908.09791)",
             f"input: {{channels: 3, resolution: {resolution}}}",
             f"classes: {CLASSES}",
             "activation: hard_swish",
             "stem:",
             f"  - conv: {{width: {STEM}, kernel: 3, stride: 2}}",
             "stages:",
             f"  - {{name: first, block: inverted_residual, width: {STEM}, depth: 1, expansion: 1, activation: relu}}"]
    for number, ((width, stride, squeeze, hard_swish), of_stage) in enumerate(zip(STAGES, blocks), 1):
        alike = len(set(of_stage)) == 1
        parts = [(of_stage[0], len(of_stage))] if alike else [(block, 1) for block in of_stage]
        for index, ((kernel, expansion), depth) in enumerate(parts):
            stage = [f"name: stage{number}" + ("" if alike else f"block{index + 1}"), "block: inverted_residual",
                     f"width: {width}", f"depth: {depth}", f"kernel: {kernel}", f"expansion: {expansion}"]
            if index == 0 and stride > 1:
                stage.append(f"stride: {stride}")
            if not hard_swish:
                stage.append("activation: relu")
            if squeeze:
                stage.append(SQUEEZE)
            lines.append("  - {" + ", ".join(stage) + "}")
    lines += ["head:", f"  - conv: {{width: {LAST}, kernel: 1}}", "  - global_avg_pool",
              f"  - linear: {{width: {MIXED}, activation: hard_swish, bias: false}}", "  - linear: {}"]
    return "\n".join(lines) + "\n"


def keys_of(resolution, blocks):
    """What once-for-all's code looks up for the network, one key a layer or block."""
    def shape(size, channels):
        return f"{size}x{size}x{channels}"

    size, channels = (resolution + 1) // 2, STEM
    keys = [f"Conv-input:{shape(resolution, 3)}-output:{shape(size, STEM)}",
            f"expanded_conv-input:{shape(size, STEM)}-output:{shape(size, STEM)}-expand:{STEM}-kernel:3-stride:1"
            "-idskip:1-se:0-hs:0"]
    for (width, first_stride, squeeze, hard_swish), of_stage in zip(STAGES, blocks):
        for index, (kernel, expansion) in enumerate(of_stage):
            stride = first_stride if index == 0 else 1
            out = (size - 1) // stride + 1
            keys.append(f"expanded_conv-input:{shape(size, channels)}-output:{shape(out, width)}"
                        f"-expand:{channels * expansion}-kernel:{kernel}-stride:{stride}-idskip:{int(index > 0)}"
                        f"-se:{int(squeeze)}-hs:{int(hard_swish)}")
            size, channels = out, width
    return keys + [f"Conv_1-input:{shape(size, channels)}-output:{shape(size, LAST)}",
                   f"AvgPool2D-input:{shape(size, LAST)}-output:{shape(1, LAST)}",
                   f"Conv_2-input:{shape(1, LAST)}-output:{shape(1, MIXED)}",
                   f"Logits-input:{shape(1, MIXED)}-output:{CLASSES}"]


def write(folder, name, resolution, blocks):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".yaml"), "w", encoding="utf-8") as file:
        file.write(model_text(name, resolution, blocks))


def cover(arguments):
    at = "" if arguments.resolution == 224 else f"-{arguments.resolution}"
    for kernel in KERNELS:
        for expansion in EXPANSIONS:
            # Three blocks a stage: the mean of the space, so that a pass goes as far as a pass of its networks.
            write(arguments.folder, f"ofa-mbv3-k{kernel}-e{expansion}{at}", arguments.resolution,
                  [[(kernel, expansion)] * 3] * len(STAGES))


def random_networks(arguments):
    generator = random.Random(arguments.seed)
    networks = {}
    for number in range(arguments.networks):
        blocks = [[(generator.choice(KERNELS), generator.choice(EXPANSIONS)) for _ in range(generator.choice(DEPTHS))]
                  for _ in STAGES]
        name = f"ofa-random-{number + 1:02}"
        write(arguments.folder, name, arguments.resolution, blocks)
        networks[name] = keys_of(arguments.resolution, blocks)
    with open(os.path.join(arguments.folder, "keys.json"), "w", encoding="utf-8") as file:
        json.dump(networks, file, indent=1)


def check(arguments):
    with open(arguments.latency, encoding="utf-8") as file:
        table = {key: float(mean) for key, mean in re.findall(r"^(\S+):\n  mean: (\S+)$", file.read(), re.MULTILINE)}
    with open(os.path.join(arguments.folder, "keys.json"), encoding="utf-8") as file:
        keys = json.load(file)
    with open(arguments.verify, encoding="utf-8") as file:
        measured = {row["model"]: row["measured_us"] for row in json.load(file)["models"] if row.get("measured_us")}
    errors = []
    for name in sorted(keys):
        missing = [key for key in keys[name] if key not in table]
        if missing:
            raise SystemExit(f"{name}: the table has no {missing[0]}")
        if name in measured:
            predicted = 1000 * sum(table[key] for key in keys[name])
            errors.append(100 * (predicted / measured[name] - 1))
            print(f"{name}: {predicted:.1f} us by the table, {measured[name]:.1f} us measured, {errors[-1]:+.1f} %")
    if not errors:
        raise SystemExit(f"{arguments.verify}: has none of the networks of {arguments.folder}")
    print(f"{len(errors)} networks: median {statistics.median(errors):+.1f} %, "
          f"worst {max(errors, key=abs):+.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("cover", cover), ("random", random_networks)):
        command = commands.add_parser(name)
        command.add_argument("folder")
        command.add_argument("--resolution", type=int, default=224)
        command.set_defaults(run=run)
        if run is random_networks:
            command.add_argument("--networks", type=int, default=50)
            command.add_argument("--seed", type=int, default=1)
    command = commands.add_parser("check")
    command.add_argument("latency")
    command.add_argument("verify")
    command.add_argument("folder")
    command.set_defaults(run=check)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
