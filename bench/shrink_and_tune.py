#!/usr/bin/env python3
"""What is left of a network's accuracy when it is shrunk from its weights and fine-tuned: HACScale against L1 and Taylor pruning and HALP's
knapsack, all at the same measured latency.

For each seed: trains the network, measures the Taylor scores of its channels, compares the strategies at each budget on the device, and
fine-tunes what each of them chose, from the base's weights. The base itself is fine-tuned as well, which is what the others lose against.
Whatever is done stays in the folder --out, and the same command goes on from there.

  shrink_and_tune.py --out out/shrink --device cuda:0 --dtype f16 --jobs 6
  shrink_and_tune.py --out out/public --start resnet56.safetensors --recipe bench/training/fine-tune-2.yaml --tune bench/training/fine-tune-2.yaml
  shrink_and_tune.py --out out/tiny --model resnet8-cifar --recipe quick --tune quick --minutes 0.5     # does it run here?

Exit status: 0 done; 1 a step failed; 2 bad usage; 3 something is not here; 4 done, but a network lacks a measured latency or an accuracy.
"""
import argparse
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import sys

GAPS = 4  # the program's exit status for an answer with gaps
LEAST_WIDTH = 0.125  # over the base's: pruning that leaves depths alone needs narrow layers
STRATEGIES = ["l1-pruning", "taylor-pruning", "halp", "hacscale"]


class Program:
    """Calls hacscale; what it says goes to the folder's log."""

    def __init__(self, options):
        self.command = options.hacscale
        self.log = options.out / "shrink_and_tune.log"

    def __call__(self, *words, answer=None):
        words = [self.command, *map(str, words)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        with self.log.open("a") as log:
            log.write("+ " + " ".join(words) + "\n" + done.stderr)
        if done.returncode not in (0, GAPS):
            sys.stderr.write(done.stderr)
            raise SystemExit(done.returncode)
        if answer is not None:  # whole or not at all
            part = answer.with_suffix(".part")
            part.write_text(done.stdout)
            part.rename(answer)
        return done.stdout


def in_parallel(jobs, items, work):
    """What `work` says of each; what it throws is thrown."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(work, items))


class Evidence:
    def __init__(self, options):
        self.options = options
        self.program = Program(options)
        self.table = options.out / "table.db"
        self.on_device = ["--device", options.device]
        self.state = ["--batch", options.batch, "--dtype", options.dtype, "--seconds", options.seconds,
                      "--threads", options.threads]

    def profile(self):
        done = self.options.out / "profile.json"
        if not done.exists():
            self.program("profile", self.options.model, "--own-layers", "--widths", f"{LEAST_WIDTH}..1", "--table", self.table,
                         *self.on_device, *self.state, "--minutes", self.options.minutes, "--json", answer=done)

    def train(self, model, recipe, seed, start=None):
        """The run's record and folder; the program's own records say whether it was done before."""
        words = ["train", model, "--recipe", recipe, "--seed", seed, "--data", self.options.data, *self.on_device,
                 "--record", self.options.out / "accuracy.db", "--checkpoints", self.options.out / "checkpoints", "--json"]
        run = json.loads(self.program(*words, *([] if start is None else ["--start", start])))["runs"][0]
        return run

    def scores(self, seed, checkpoint):
        folder = self.options.out / f"seed{seed}"
        folder.mkdir(exist_ok=True)
        scores = folder / "taylor.json"
        if not scores.exists():
            self.program("importance", self.options.model, "--checkpoint", checkpoint, "--measure", "taylor", "--batches",
                         self.options.batches, "--data", self.options.data, *self.on_device, "--out",
                         folder / "importance.json", "--scores", scores)
        return scores

    def weights(self, seed, checkpoint):
        file = self.options.out / f"seed{seed}" / "base.safetensors"
        if not file.exists():
            self.program("export-weights", self.options.model, "--checkpoint", checkpoint, "--batch-norms", "--out", file)
        return file

    def compare(self, seed, budget, weights, scores):
        """The comparison, whose networks are files in a folder of their own."""
        folder = self.options.out / f"seed{seed}" / f"x{budget}"
        answer = folder / "compare.json"
        if not answer.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.program("compare", self.options.model, "--as-graph", "--weights", weights, "--scores", scores, "--table",
                         self.table, "--budget", budget, "--min-width-ratio", LEAST_WIDTH, "--strategies", ",".join(STRATEGIES), "--networks", folder,
                         *self.on_device, *self.state, "--json", answer=answer)
        return json.loads(answer.read_text()), folder

    def rows(self):
        """What is to be fine-tuned: of each seed the base, and of each budget what each strategy chose."""
        rows = []
        bases = in_parallel(self.options.jobs, self.options.seeds,
                            lambda seed: self.train(self.options.model, self.options.recipe, seed, self.options.start))
        for seed, base in zip(self.options.seeds, bases):
            checkpoint = base["checkpoints"]
            rows.append({"seed": seed, "strategy": "base", "budget": 1.0, "latency_ratio": 1.0, "status": "ok",
                         "before": base.get("test_accuracy"), "model": self.options.model, "start": checkpoint})
            scores = self.scores(seed, checkpoint)
            weights = self.weights(seed, checkpoint)
            for budget in self.options.budgets:
                comparison, folder = self.compare(seed, budget, weights, scores)
                for row in comparison["strategies"]:
                    name = f"{comparison['model']}-{row['strategy']}-{budget}"
                    chosen = (folder / f"{name}.yaml").exists()
                    rows.append({"seed": seed, "budget": budget, "model": folder / f"{name}.yaml" if chosen else None,
                                 "start": folder / f"{name}.safetensors",
                                 **{key: row[key] for key in ("strategy", "status", "reason", "latency_ratio",
                                                              "utilization_ratio", "params", "macs")}})
        return rows

    def tune(self, rows):
        def one(row):
            if row["model"] is not None:
                run = self.train(row["model"], self.options.tune, row["seed"], row["start"])
                row["accuracy"] = run.get("test_accuracy")

        in_parallel(self.options.jobs, rows, one)


def mean_and_spread(values):
    if not values:
        return "", ""
    return f"{statistics.mean(values):.2f}", f"{statistics.stdev(values):.2f}" if len(values) > 1 else ""


def summary(rows, options):
    lines = [f"{options.model}, trained by the recipe {options.recipe}, shrunk and fine-tuned by {options.tune}; "
             f"{len(options.seeds)} seeds; {options.device}, batch {options.batch}, {options.dtype}", "",
             "| budget | strategy | measured latency | params | MACs | test % | +- | lost points | +- |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    of_base = {row["seed"]: 100 * row["accuracy"] for row in rows if row["strategy"] == "base" and row.get("accuracy")}
    for budget, strategy in [(1.0, "base")] + [(b, s) for b in options.budgets for s in STRATEGIES]:
        own = [row for row in rows if (row["budget"], row["strategy"]) == (budget, strategy)]
        tuned = [row for row in own if row.get("accuracy") is not None]
        ratios = [row["latency_ratio"] for row in own if row.get("latency_ratio")]
        counts = ["/".join(f"{row[key]:,}" for row in tuned if row.get(key)) for key in ("params", "macs")]
        lost = [of_base[row["seed"]] - 100 * row["accuracy"] for row in tuned if row["seed"] in of_base]
        lines.append("| " + " | ".join([f"{budget:g}", strategy, "/".join(f"{ratio:.3f}" for ratio in ratios), *counts,
                                        *mean_and_spread([100 * row["accuracy"] for row in tuned]),
                                        *(mean_and_spread(lost) if strategy != "base" else ("", ""))]) + " |")
    return "\n".join(lines) + "\n"


def main():
    def numbers(kind):
        return lambda text: [kind(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for all of it")
    parser.add_argument("--model", default="resnet56-cifar")
    parser.add_argument("--budgets", type=numbers(float), default=[0.7, 0.5], help="latencies over the base's")
    parser.add_argument("--seeds", type=numbers(int), default=[1, 2])
    parser.add_argument("--recipe", default="short", help="of the base")
    parser.add_argument("--start", type=pathlib.Path, help="weights that the base's training starts from; else random")
    parser.add_argument("--tune", default="fine-tune", help="recipe of the fine-tuning")
    parser.add_argument("--data", default="data/cifar-10")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--threads", type=int, default=0, help="of a CPU, for latencies; 0: all")
    parser.add_argument("--seconds", type=float, default=1.0, help="for timing one network")
    parser.add_argument("--minutes", type=float, default=1.0, help="for the table of layers")
    parser.add_argument("--batches", type=int, default=32, help="of 128 images, for the Taylor scores")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once")
    parser.add_argument("--hacscale", default="hacscale", help="the program")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    evidence = Evidence(options)
    evidence.profile()
    rows = evidence.rows()
    evidence.tune(rows)
    (options.out / "answer.json").write_text(json.dumps(rows, indent=1, default=str) + "\n")
    text = summary(rows, options)
    (options.out / "answer.md").write_text(text)
    print(text, end="")
    return 0 if all(row.get("accuracy") is not None and row.get("latency_ratio") for row in rows) else GAPS


sys.exit(main())
