#!/usr/bin/env python3
"""Which form of the gain predicts networks that it was not fitted to:

    python3 bench/gain_forms.py results/nvidia-h200/training/sensitivity-resnet20-cifar.json

Reads a file of `hacscale sensitivity --held-out N`. Each form is fitted to the single steps and the combinations. The first half of
the networks held out is there to choose a form by, the other half to report on: mean error in accuracy points, and Spearman's rank
correlation. The last line is what a gain would show that is exact, as one seed's accuracy is off by as much as seeds differ. The table
is in docs/method.md, "Sensitivity".
"""
import itertools
import json
import math
import random
import statistics
import sys


def read(file):
    """The base's widths and depths, the networks to fit to and those held out: (widths, depths, points over the base's)."""
    record = json.load(open(file))
    stages = record["stages"]
    width_steps = [math.exp(stage["width"]["ln_ratio"]) for stage in stages]
    depth_steps = [math.exp(stage["depth"]["ln_ratio"]) for stage in stages]
    everything = max(record["combinations"], key=lambda network: sum(network["widths"]) + sum(network["depths"]))
    base_widths = [round(width / step) for width, step in zip(everything["widths"], width_steps)]
    base_depths = [round(depth / step) for depth, step in zip(everything["depths"], depth_steps)]
    fitted = []
    for s, stage in enumerate(stages):
        for dimension, base, steps in (("width", base_widths, width_steps), ("depth", base_depths, depth_steps)):
            raised = list(base)
            raised[s] = round(base[s] * steps[s])
            widths, depths = (raised, base_depths) if dimension == "width" else (base_widths, raised)
            fitted.append((widths, depths, stage[dimension]["points"]))
    known = [[(network["widths"], network["depths"], network["measured"]) for network in record[kind]]
             for kind in ("combinations", "held_out")]
    # Variances of single seeds; a network of two seeds is off by half of it.
    variances = [network["spread"]**2 for network in record["held_out"] if network["spread"] is not None]
    noise = [math.sqrt(statistics.mean(variances) / network["seeds"]) for network in record["held_out"]]
    return base_widths, base_depths, fitted + known[0], known[1], noise


def worth(ratio, saturation):
    return math.log(ratio) if saturation == 0 else -math.expm1(-saturation * math.log(ratio)) / saturation


def solve(matrix, right):
    """Gauss's elimination with pivots."""
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    for i in range(len(rows)):
        pivot = max(range(i, len(rows)), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(len(rows)):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


def least_squares(features, points, ridge, at_least_0):
    """Coefficients; with `at_least_0` the best of all sets of dimensions whose coefficients come out above 0."""
    count = len(features[0])
    best = (math.inf, [0.0] * count)
    sets = [range(count)] if not at_least_0 else [
        chosen for size in range(1, count + 1) for chosen in itertools.combinations(range(count), size)]
    for chosen in sets:
        normal = [[sum(row[i] * row[k] for row in features) + ((ridge + 1e-9) if i == k else 0.0) for k in chosen]
                  for i in chosen]
        found = solve(normal, [sum(row[i] * value for row, value in zip(features, points)) for i in chosen])
        if at_least_0 and min(found) < 0.0:
            continue
        coefficients = [0.0] * count
        for i, value in zip(chosen, found):
            coefficients[i] = value
        error = sum((sum(a * b for a, b in zip(row, coefficients)) - value) ** 2 for row, value in zip(features, points))
        error += ridge * sum(value * value for value in coefficients)
        best = min(best, (error, coefficients))
    return best[1]


def rank_correlation(a, b):
    """Spearman's, for values that all differ."""
    ranks = [[sorted(values).index(value) for value in values] for values in (a, b)]
    n = len(a)
    return 1.0 - 6.0 * sum((x - y) ** 2 for x, y in zip(*ranks)) / (n * (n * n - 1))


def agreement(predicted, measured):
    """Mean error, and rank correlation."""
    return statistics.fmean(abs(a - b) for a, b in zip(predicted, measured)), rank_correlation(predicted, measured)


def if_exact(points, noise, draws=4000):
    """Medians over draws of the agreement of the points with themselves, off by the seeds' noise."""
    generator = random.Random(1)
    drawn = [agreement(points, [generator.gauss(point, deviation) for point, deviation in zip(points, noise)])
             for _ in range(draws)]
    return [statistics.median(figures) for figures in zip(*drawn)]


def main():
    base_widths, base_depths, fitted, held_out, noise = read(sys.argv[1])
    count = 2 * len(base_widths)

    def features(widths, depths, saturation, product=False):
        ratios = [value / base for value, base in zip(widths + depths, base_widths + base_depths)]
        values = [worth(ratio, saturation) for ratio in ratios]
        half = count // 2
        return values + ([sum(values[:half]) * sum(values[half:])] if product else [])

    halves = slice(None, len(held_out) // 2), slice(len(held_out) // 2, None)

    def predictions(coefficients, saturation=0.0, product=False):
        return [sum(a * b for a, b in zip(features(widths, depths, saturation, product), coefficients))
                for widths, depths, _ in held_out]

    def print_line(name, figures):
        print(f"{name:60}" + "".join(f"  {error:.2f} {rank:5.2f}" for error, rank in figures))

    def report(name, *form):
        predicted, measured = predictions(*form), [points for *_, points in held_out]
        print_line(name, [agreement(predicted[half], measured[half]) for half in halves])

    def fit(saturation=0.0, ridge=0.0, at_least_0=True, product=False):
        rows = [features(widths, depths, saturation, product) for widths, depths, _ in fitted]
        return least_squares(rows, [points for *_, points in fitted], ridge, at_least_0)

    print(f"{'coefficients':60}  to choose by  to report")
    single = [0.0] * count
    for widths, depths, points in fitted[:count]:
        row = features(widths, depths, 0.0)
        place = max(range(count), key=lambda i: abs(row[i]))
        single[place] = points / row[place]
    report("of each single step alone", single)
    report("least squares", fit(at_least_0=False))
    report("least squares, none below 0", fit())
    for saturation in (0.25, 0.5, 1.0):
        report(f"the same, saturating with p = {saturation}", fit(saturation=saturation), saturation)
    for ridge in (0.03, 0.1, 0.3):
        report(f"the same, ridge of {ridge}", fit(ridge=ridge))
    report("ridge of 0.03, and all widths times all depths", fit(ridge=0.03, at_least_0=False, product=True), 0.0, True)
    exact = predictions(fit())
    print_line("exact, but for the seeds", [if_exact(exact[half], noise[half]) for half in halves])


if __name__ == "__main__":
    main()
