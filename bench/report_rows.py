"""Records of a run with as many rows as asked, for timing the report: a folder's comparisons, and the rows of its table
repeated under other batch sizes.

    hacscale table query RUN/table.db --json | python3 bench/report_rows.py RUN RECORDS 10000
    /usr/bin/time -v hacscale report RECORDS
"""
import json
import pathlib
import shutil
import sys


def main():
    run, records, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    rows = json.load(sys.stdin)
    repeated = [dict(rows[i % len(rows)], batch=1 + i // len(rows)) for i in range(count)]
    records.mkdir(parents=True)
    for file in run.glob("*.json"):
        shutil.copy(file, records)
    (records / "table.json").write_text(json.dumps(repeated))


if __name__ == "__main__":
    main()
