"""Two writers of one table, tables that are replaced or cut short under a command, and folders that were copied half way."""
import csv
import fcntl
import io
import os
import shutil
import signal
import subprocess
import time

from drills import common

LONG_PROFILE = ["profile", "one.yaml", "two.yaml", "three.yaml", "--seconds", "0.2", "--minutes", "0.2", "--threads", "1",
                "--table", "table.db"]


def is_locked(table):
    """Whether a writer holds the table now."""
    try:
        with open(table.with_name(table.name + ".lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def frozen_writer(drill, name):
    """A folder, and a profile of its table that has committed rows, holds the table, and stands still until it is thawed."""
    for _ in range(20):
        folder = drill.folder(name)
        with open(folder / "writer.err", "w") as err:
            process = drill.start(LONG_PROFILE, folder, stdout=subprocess.DEVNULL, stderr=err)
        table = folder / "table.db"
        until = time.monotonic() + 60
        while process.poll() is None and not common.rows_of(table) and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGSTOP)
        if process.poll() is None and is_locked(table) and common.rows_of(table):
            return folder, process
        process.send_signal(signal.SIGCONT)  # it was done too early
        process.wait()
    raise common.Unable("the program was done too early, 20 times")


def thaw(process):
    process.send_signal(signal.SIGCONT)
    process.wait(timeout=300)
    return process.returncode


def two_writers(drill):
    for name in ("its name", "a symbolic link", "a hard link"):
        folder, process = frozen_writer(drill, "writers")
        second = "other.db"
        if name == "its name":
            second = "table.db"
        elif name == "a symbolic link":
            (folder / second).symlink_to("table.db")
        else:
            os.link(folder / "table.db", folder / second)
        rows = common.rows_of(folder / "table.db")
        refused = [LONG_PROFILE[:-1] + [second], ["verify", "one.yaml", "--table", second, "--seconds", "0.02"],
                   ["table", "merge", "table.db", "--out", second, "--append"]]
        for arguments in refused:
            answer = drill.run(arguments, folder)
            drill.count("second writers")
            drill.require_refusal(answer, f"{arguments[0]} by {name} while another process writes", folder)
            # A table with several names is refused before it is asked who writes it.
            drill.require(f"process {process.pid}" in answer.err or name == "a hard link",
                          f"{arguments[0]} by {name} does not name process {process.pid}: {answer.err.strip()[-300:]}", folder)
        for arguments in (["table", "show", second], ["table", "query", "table.db"]):  # readers are not held up
            drill.run_or_violate(arguments, folder)
        lost = common.lost_rows(rows, common.rows_of(folder / "table.db"))
        drill.count("rows lost", len(lost))
        drill.require(not lost, f"a second writer by {name} lost {len(lost)} rows", folder)
        status = thaw(process)
        drill.require(status in common.DONE,
                      f"the first writer ended with {status}: {(folder / 'writer.err').read_text()[-300:]}", folder)
        drill.require_sound(folder / "table.db", f"after a second writer by {name}")
        drill.say(f"two-writers by {name}: {len(refused)} commands refused, the first writer ended with {status}")


def make_large_table(drill, folder, rows=20_000):
    """A table whose export takes a while."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["kind", "in_channels", "out_channels", "height", "kernel", "latency_us"])
    for number in range(rows):
        writer.writerow(["conv", 1 + number % 500, 1 + number // 500, 56, 3, 1.0 + number / 7.0])
    (folder / "rows.csv").write_text(text.getvalue())
    drill.run_or_violate(["table", "import", "rows.csv", "--table", "large.db", "--device-name", "Elsewhere"], folder)


CHANGES = ("moved away", "replaced", "removed", "cut short")


def replaced(drill):
    other = drill.folder("other")
    drill.run_or_violate(common.PROFILE.arguments, other)
    large = drill.folder("large")
    make_large_table(drill, large)
    whole = drill.run_or_violate(["table", "export", "large.db"], large).out
    rounds = max(1, drill.times // 20)
    for what in CHANGES:
        for _ in range(rounds):
            replace_under_writer(drill, other / "table.db", what)
        drill.say(f"replaced: {what} under a writer, {rounds} times, noticed")
    for what in CHANGES:
        statuses = [replace_under_reader(drill, large / "large.db", other / "table.db", whole, what) for _ in range(rounds)]
        drill.say(f"replaced: {what} under a reader, {rounds} times, {sum(map(bool, statuses))} noticed, the others read all rows")


def change(file, other, what, random):
    if what == "moved away":
        os.rename(file, file.with_name("moved.db"))
    elif what == "replaced":
        os.rename(file, file.with_name("moved.db"))
        shutil.copy(other, file.with_name("incoming.db"))
        os.rename(file.with_name("incoming.db"), file)
    elif what == "removed":
        file.unlink()
    else:
        os.truncate(file, random.randrange(0, file.stat().st_size))


def replace_under_writer(drill, other, what):
    for _ in range(10):
        folder, process = frozen_writer(drill, "replaced")
        table = folder / "table.db"
        seen = common.rows_of(table)
        change(table, other, what, drill.random)
        status = thaw(process)
        moved = folder / "moved.db"
        if status not in common.DONE or (moved.exists() and common.rows_of(moved) != seen):
            break  # else the writer had nothing to write any more
    drill.count("tables changed under a writer")
    err = (folder / "writer.err").read_text()
    drill.require_refusal(common.Answer(status, "", err), f"a writer whose table was {what}", folder)
    if moved.exists():  # its rows are its own
        drill.require_sound(moved, f"after it was {what} under its writer")
        lost = common.lost_rows(seen, common.rows_of(moved))
        drill.count("rows lost", len(lost))
        drill.require(not lost, f"{len(lost)} committed rows are in no file after the table was {what}", folder)
    if what == "replaced":
        drill.require_sound(table, "after it took the place of a table that was written")
        drill.require(common.rows_of(table) == common.rows_of(other), "rows of another table are in the one that took its place",
                      folder)


def replace_under_reader(drill, file, other, whole, what):
    folder = drill.folder("read")
    table = folder / "large.db"
    shutil.copy(file, table)
    with open(folder / "reader.err", "w") as err:
        process = drill.start(["table", "export", "large.db"], folder, stderr=err)
    got = process.stdout.read(2000)
    change(table, other, what, drill.random)
    got += process.stdout.read()
    status = process.wait()
    err = (folder / "reader.err").read_text()
    drill.count("tables changed under a reader")
    complete_lines = got[:got.rfind("\n") + 1]
    drill.require(whole.replace("\r", "").startswith(complete_lines.replace("\r", "")),
                  f"a reader whose table was {what} gave rows that the table does not have", folder)
    if status != 0:
        drill.require_refusal(common.Answer(status, got, err), f"a reader whose table was {what}", folder)
    else:
        drill.require(len(got) >= len(whole) - whole.count("\r"), f"a reader whose table was {what} left out rows and said nothing",
                      folder)
    return status


def half_copied(drill):
    source = drill.folder("whole")
    drill.run_or_violate(common.RUN.arguments, source)
    drill.run_or_violate(["report", "out"], source)
    names = sorted(path.name for path in (source / "out").iterdir() if path.suffix in (".json", ".db") and path.name != "report.json")
    outcomes = {}
    for number in range(drill.times):
        folder = drill.folder("copied")
        shutil.copytree(source / "out", folder / "out")
        for path in (folder / "out").glob("report.*"):
            path.unlink()
        damaged = drill.random.sample(names, drill.random.randrange(1, 3))
        harm = {name: damage(drill, folder / "out" / name) for name in damaged}
        report = drill.run(["report", "out", "--out", "page"], folder)
        label = f"the report of a run with {harm}"
        if report.status == 0:
            require_subset(drill, source / "out", folder, harm, label)
        else:
            drill.require_refusal(report, label, folder, statuses=(2,))
            drill.require(any(name in report.err for name in damaged), f"{label} names none of them: {report.err.strip()}", folder)
        again = drill.run(common.RUN.arguments, folder)
        label = f"the run given again with {harm}"
        if again.status in common.DONE:
            drill.require_sound(folder / "out/table.db", f"after {label}")
            drill.run_or_violate(["report", "out"], folder, statuses=(0,))
        else:
            drill.require_refusal(again, label, folder, statuses=(2,))
            drill.require(any(name in again.err for name in damaged), f"{label} names none of them: {again.err.strip()}", folder)
        key = (report.status, again.status)
        outcomes[key] = outcomes.get(key, 0) + 1
        drill.count("half copies")
        if not drill.violations:
            shutil.rmtree(folder)
    for (report, again), count in sorted(outcomes.items()):
        drill.say(f"half-copied: report ended with {report} and the run given again with {again}, {count} times")


def damage(drill, file):
    """Removes the file, or cuts it at a random length."""
    if drill.random.randrange(3) == 0:
        file.unlink()
        return "missing"
    length = drill.random.randrange(0, file.stat().st_size)
    os.truncate(file, length)
    return f"cut at {length}"


def require_subset(drill, source, folder, harm, label):
    """A report without a file says nothing that the whole one does not say: each table row is one of the whole run's."""
    for page in (folder / "page").glob("*.csv"):
        if page.name == "prediction_errors.csv":  # statistics of the networks that are there, with their number
            continue
        whole = set((source / page.name).read_text().splitlines()) if (source / page.name).exists() else set()
        strange = [line for line in page.read_text().splitlines() if line not in whole]
        drill.require(not strange, f"{label} says in {page.name} what the whole one does not: {strange[:2]}", folder)
