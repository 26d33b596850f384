#!/usr/bin/env python3
"""What measurements on one device say of another, which "hacscale table diff" refuses to compare.

  models COMPARISON... --out FOLDER     writes the base and the choice of each comparison (compare-*.json) as model files
  kept FOLDER ANSWER                    those models measured here ("hacscale verify FOLDER/*.yaml --json"): does a choice
                                        made for the other device keep its budget on this one?
  rows THERE.db HERE.db                 the rows that two tables share: ratios of latencies, and whether the ranks agree
"""
import argparse
import json
import pathlib
import re
import sqlite3
import statistics
import sys

TOLERANCE = 0.01  # over a budget, as in the verdict of "compare"
ROWS = """SELECT key, kind, batch, dtype, cache, footprint_bytes, latency_us FROM measurement JOIN layer ON layer_id = layer.id
          WHERE status IN ('ok', 'noisy')"""


def renamed(spec, name):
    return re.sub(r"^name: .*$", f"name: {name}", spec, count=1, flags=re.MULTILINE)


def write_models(options):
    options.out.mkdir(parents=True, exist_ok=True)
    choices = []
    for file in options.comparisons:
        comparison = json.loads(file.read_text())
        model, budget = comparison["model"], comparison["budget"]
        base = f"{model}.base"
        (options.out / f"{base}.yaml").write_text(renamed(comparison["base"]["spec"], base))
        for row in comparison["strategies"]:
            if row["strategy"] not in options.strategies or row["latency_ratio"] is None:
                continue
            name = f"{model}.{row['strategy']}.{budget}"
            (options.out / f"{name}.yaml").write_text(renamed(row["spec"], name))
            choices.append({"name": name, "base": base, "budget": budget, "ratio": row["latency_ratio"]})
    (options.out / "choices.json").write_text(json.dumps(choices, indent=1) + "\n")
    print(f"{len(choices)} choices of {len(options.comparisons)} comparisons: {options.out}")
    return 0 if choices else 2


def compare_budgets(options):
    measured = {row["model"]: row["measured_us"] for row in json.loads(options.answer.read_text())["models"]}
    choices = json.loads((options.folder / "choices.json").read_text())
    there_kept = here_kept = compared = 0
    print(f"{'choice':<44}{'budget':>8}{'there':>8}{'here':>8}   kept there, here")
    for choice in choices:
        if choice["name"] not in measured or choice["base"] not in measured:
            print(f"{choice['name']:<44}{choice['budget']:>8.3f}{choice['ratio']:>8.3f}{'-':>8}   not measured here")
            continue
        here = measured[choice["name"]] / measured[choice["base"]]
        kept = [ratio <= choice["budget"] + TOLERANCE for ratio in (choice["ratio"], here)]
        compared += 1
        there_kept += kept[0]
        here_kept += kept[1]
        print(f"{choice['name']:<44}{choice['budget']:>8.3f}{choice['ratio']:>8.3f}{here:>8.3f}   "
              + ", ".join("yes" if one else "no" for one in kept))
    print(f"of {compared} choices, {there_kept} kept their budget there and {here_kept} keep it here")
    return 0 if compared == len(choices) else 4


def ranks(values):
    """Places in rising order; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    places = [0.0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for position in range(begin, end):
            places[order[position]] = (begin + end - 1) / 2
        begin = end
    return places


def rank_correlation(first, second):
    """Spearman's; None where one side does not vary."""
    first, second = ranks(first), ranks(second)
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return statistics.correlation(first, second)


def read_table(file):
    if not file.exists():
        raise SystemExit(f"across_devices.py: there is no table {file}")
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as table:
        name = table.execute("SELECT name FROM device").fetchone()[0]
        return name, {row[0:1] + row[2:6]: (row[1], row[6]) for row in table.execute(ROWS)}


def show_ratios(name, pairs):
    ratios = sorted(here / there for there, here in pairs)
    correlation = rank_correlation([there for there, _ in pairs], [here for _, here in pairs])
    print(f"{name:<24}{len(pairs):>6}{statistics.median(ratios):>9.3f}{ratios[len(ratios) // 10]:>9.3f}"
          f"{ratios[-1 - len(ratios) // 10]:>9.3f}" + ("" if correlation is None else f"{correlation:>9.3f}"))


def compare_rows(options):
    (there_name, there), (here_name, here) = read_table(options.there), read_table(options.here)
    shared = sorted(there.keys() & here.keys())
    print(f"{here_name} over {there_name}: {len(shared)} rows are in both tables, of {len(there)} and {len(here)}")
    if not shared:
        return 4
    kinds = {}
    for key in shared:
        kinds.setdefault(there[key][0], []).append((there[key][1], here[key][1]))
    print(f"{'kind':<24}{'rows':>6}{'median':>9}{'p10':>9}{'p90':>9}{'ranks':>9}")
    for kind, pairs in sorted(kinds.items()):
        show_ratios(kind, pairs)
    show_ratios("all", [pair for pairs in kinds.values() for pair in pairs])
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    models = commands.add_parser("models")
    models.add_argument("comparisons", type=pathlib.Path, nargs="+")
    models.add_argument("--out", type=pathlib.Path, required=True)
    models.add_argument("--strategies", type=lambda text: text.split(","), default=["hacscale"])
    models.set_defaults(run=write_models)
    kept = commands.add_parser("kept")
    kept.add_argument("folder", type=pathlib.Path)
    kept.add_argument("answer", type=pathlib.Path)
    kept.set_defaults(run=compare_budgets)
    rows = commands.add_parser("rows")
    rows.add_argument("there", type=pathlib.Path)
    rows.add_argument("here", type=pathlib.Path)
    rows.set_defaults(run=compare_rows)
    options = parser.parse_args()
    return options.run(options)


sys.exit(main())
