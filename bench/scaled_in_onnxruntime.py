#!/usr/bin/env python3
"""Scales networks of ONNX files to latency budgets by several strategies, and times what was chosen here and in ONNX Runtime: does a choice that
pays here pay there?

  scaled_in_onnxruntime.py --out out/imported --budgets 0.7,1.065 FILE.onnx...
  scaled_in_onnxruntime.py --out out/shrunk --budgets 0.8,0.55,0.3 --strategies all resnet50.onnx mobilenet_v2.onnx

For each file: measures its layers at the widths that the budgets need, compares the strategies at each budget, which times all choices together with
the base, writes their networks, and times each of these in ONNX Runtime in turns with the base. Prints a table. What is done stays in the folder
--out, and the same command goes on from there. Needs onnxruntime and numpy.

Exit status: 0 done; 1 a step failed; 2 bad usage; 4 done, but a choice has no measured latency.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "peers"))
from onnxruntime_session import random_images, session_of

GAPS = 4  # the program's exit status for an answer with gaps


def ask(options, *words):
    done = subprocess.run([options.hacscale, *map(str, words), "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, GAPS):
        raise SystemExit(1)
    return json.loads(done.stdout)


def widths(budgets):
    """Up to what a search for these budgets opens by itself, and down to an eighth: pruning that leaves depths alone needs narrow layers."""
    least = 0.125 if min(budgets) < 1 else 0.5
    return f"{least}..{2 if max(budgets) >= 1 else max(1.0, 4 * max(budgets) - 2):.3g}"


def passes_of(file, threads):
    """What runs the network once."""
    session = session_of(str(file), threads)
    images = random_images(session)
    return lambda: session.run(None, images)


def ratio_in_turns(base, chosen, seconds, rounds=9):
    """Median over rounds of chosen / base, of which each round times both, one after the other."""
    ratios = []
    for run in (base, chosen):
        run()
    for _ in range(rounds):
        means = []
        for run in (base, chosen):
            count, begin = 0, time.perf_counter()
            while time.perf_counter() - begin < seconds / rounds / 2:
                run()
                count += 1
            means.append((time.perf_counter() - begin) / count)
        ratios.append(means[1] / means[0])
    return statistics.median(ratios)


def rows_of(file, options):
    folder = options.out / file.stem
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "table.db"
    profiled = folder / "profiled.json"
    if not profiled.exists():
        answer = ask(options, "profile", file, "--own-layers", "--widths", widths(options.budgets), "--table", table, "--threads", options.threads,
                     "--minutes", options.minutes)
        profiled.write_text(json.dumps(answer))
    rows = []
    base = None
    for budget in options.budgets:
        done = folder / f"compare-{budget}.json"
        networks = folder / f"x{budget}"
        if not done.exists():
            networks.mkdir(exist_ok=True)
            some = [] if options.strategies == "all" else ["--strategies", options.strategies]
            answer = ask(options, "compare", file, "--table", table, "--budget", budget, *some, "--networks", networks, "--threads", options.threads,
                         "--seconds", options.seconds)
            done.write_text(json.dumps(answer, indent=1))
        comparison = json.loads(done.read_text())
        for row in comparison["strategies"]:
            row["network"] = file.stem
            row["of_base"] = {what: row[what] / comparison["base"][what] if row.get(what) else None for what in ("params", "macs")}
            row["budget"] = budget
            timed = folder / f"onnxruntime-{row['strategy']}-{budget}.json"
            chosen = networks / f"{comparison['model']}-{row['strategy']}-{budget}.onnx"
            if not timed.exists() and chosen.exists():
                base = base or passes_of(file, options.threads)
                ratio = ratio_in_turns(base, passes_of(chosen, options.threads), options.seconds)
                timed.write_text(json.dumps({"ratio": ratio}))
            row["onnxruntime"] = json.loads(timed.read_text())["ratio"] if timed.exists() else None
            rows.append(row)
    return rows


def number(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def table_of(rows):
    lines = ["| network | budget | strategy | latency | in ONNX Runtime | utilization | params | MACs | gain |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        latency = number(row["latency_ratio"], 3) if row["status"] in ("ok", "noisy") else f"{number(row['latency_ratio'], 3)} ({row['status']})"
        lines.append(f"| {row['network']} | {row['budget']} | {row['strategy']} | {latency} | {number(row['onnxruntime'], 3)} | "
                     f"{number(row['utilization_ratio'], 2)} | {number(row['of_base']['params'], 2)} | {number(row['of_base']['macs'], 2)} | "
                     f"{number(row['gain'], 3)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=pathlib.Path, nargs="+", metavar="FILE.onnx")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for all of it")
    parser.add_argument("--budgets", type=lambda text: [float(part) for part in text.split(",")], default=[0.7, 1.065], help="latencies over the base's")
    parser.add_argument("--strategies", default="hacscale,uniform", help="separated by commas, or all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="for timing one network")
    parser.add_argument("--minutes", type=float, default=5.0, help="for the widths of one network")
    parser.add_argument("--hacscale", default="hacscale", help="the program")
    options = parser.parse_args()
    rows = [row for file in options.files for row in rows_of(file, options)]
    print(table_of(rows))
    return 0 if all(row.get("latency_ratio") for row in rows) else GAPS


sys.exit(main())
