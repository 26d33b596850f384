"""The peer's half of a paired comparison (paired_sides.py): prints "ready", then answers each line "SECONDS" on standard input
by running for that long, and a line "MEDIAN_US RUNS"."""
import statistics
import sys
import time

WARM_UP_RUNS = 5


def answer_turns(run):
    """`run` does one inference, and returns when it is complete."""
    for _ in range(WARM_UP_RUNS):
        run()
    print("ready", flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        run()
        while time.perf_counter() < end or not times:
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
        print(f"{statistics.median(times) * 1e6:.3f} {len(times)}", flush=True)
