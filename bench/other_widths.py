#!/usr/bin/env python3
"""Networks at other widths, to try a table's predictions on:

    python3 bench/other_widths.py models/zoo/resnet20-cifar.yaml --count 8 --out nets
    hacscale verify nets/resnet20-cifar.*.yaml --table t.db

Each stage's width is drawn from 0.5 to 2 times the model's own, in multiples of 8; the stem's convs follow the first stage and the
head's the last, as in the networks that the program scales. The same seed draws the same networks.
"""
import argparse
import pathlib
import random
import re

RATIOS = [0.5, 0.6, 0.75, 0.9, 1.1, 1.25, 1.4, 1.6, 1.8, 2.0]
WIDTH = re.compile(r"width: (\d+)")


def on_grid(width):
    return max(8, round(width / 8) * 8)


def scaled(text, ratio):
    return WIDTH.sub(lambda match: f"width: {on_grid(int(match.group(1)) * ratio)}", text)


def at_other_widths(model, name, generator):
    """`model` is the text of a model's YAML file, whose sections are in the order stem, stages, head."""
    before, rest = model.split("stages:", 1)
    stages, head = rest.split("head:", 1)
    base = [int(width) for width in WIDTH.findall(stages)]
    drawn = [on_grid(width * generator.choice(RATIOS)) for width in base]
    widths = iter(drawn)
    stages = WIDTH.sub(lambda _: f"width: {next(widths)}", stages)
    before = re.sub(r"^name: .*$", f"name: {name}", before, count=1, flags=re.MULTILINE)
    return (scaled(before, drawn[0] / base[0]) + "stages:" + stages + "head:" + scaled(head, drawn[-1] / base[-1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, help="YAML file")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder")
    options = parser.parse_args()
    generator = random.Random(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for i in range(options.count):
        name = f"{options.model.stem}.v{i}"
        (options.out / f"{name}.yaml").write_text(at_other_widths(options.model.read_text(), name, generator))


if __name__ == "__main__":
    main()
