"""The clock of the machine set back: dates are wrong then, and nothing else."""
import json
import re
import shutil
import sqlite3
import subprocess
import time

from drills import common

# Both functions that the program reads the date with; its own times come from the monotonic clock, which stays.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) { const char* text = getenv("DRILL_CLOCK_SHIFT"); return text ? atol(text) : 0; }
int clock_gettime(clockid_t clock, struct timespec* now) {
    static int (*real)(clockid_t, struct timespec*);
    if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return status;
}
time_t time(time_t* result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval* now, void* zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
"""
DAY = 86400
SHIFTS = {"a day back": -DAY, "two years back": -731 * DAY, "a year on": 366 * DAY, "before 1970": -60 * 366 * DAY}
DATE = re.compile(r"(?<![0-9])-?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z")
VALID_DATE = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")


def shifted(drill, shim, seconds):
    options = ":".join(filter(None, [drill.environment.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    return dict(drill.environment, LD_PRELOAD=str(shim), DRILL_CLOCK_SHIFT=str(seconds), ASAN_OPTIONS=options)


def comparable(text):
    """A record without what is a date."""
    return DATE.sub("DATE", text)


def records_of(folder):
    return {path.name: path.read_text() for path in sorted(folder.glob("*.json"))}


def require_valid_dates(drill, folder, when):
    for name, text in records_of(folder).items():
        for date in DATE.findall(text):
            drill.require(VALID_DATE.fullmatch(date), f"{name} has the date {date}, {when}", folder)
            drill.count("dates")


def clock(drill):
    compiler = shutil.which("cc")
    if compiler is None:
        raise common.Unable("no C compiler is here, which makes the library that moves the clock; install gcc")
    source = drill.work / "clock.c"
    source.write_text(SHIM)
    shim = drill.work / "clock.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"], check=True)

    usual = drill.folder("usual")
    drill.run_or_violate(common.PROFILE.arguments, usual)
    drill.run_or_violate(common.RUN.arguments, usual)
    for name, seconds in list(SHIFTS.items())[:drill.times]:
        environment = shifted(drill, shim, seconds)
        # The whole work by the other clock.
        folder = drill.folder("other")
        drill.run_or_violate(common.PROFILE.arguments, folder, env=environment)
        drill.run_or_violate(common.RUN.arguments, folder, env=environment)
        drill.require_sound(folder / "table.db", f"with the clock {name}")
        require_valid_dates(drill, folder / "out", f"with the clock {name}")
        begun = json.loads((folder / "out/provenance.json").read_text())["started_at"]
        drill.require(begun[:10] != time.strftime("%Y-%m-%d", time.gmtime()), f"the clock was not moved: {begun}", folder)
        if drill.made_up:  # the made-up device measures the same numbers each time
            for file, text in records_of(usual / "out").items():
                drill.require(comparable(text) == comparable((folder / "out" / file).read_text()),
                              f"{file} is another with the clock {name}", folder)
        # Begun by the usual clock, resumed by the other one: what is finished stays.
        folder = drill.folder("resumed")
        drill.run_or_violate(common.RUN.arguments, folder)
        drill.run_or_violate(common.PROFILE.arguments, folder)
        before = records_of(folder / "out")
        rows = common.rows_of(folder / "out/table.db")
        (folder / "out/compare-one-1.5.json").unlink()
        again = drill.run_or_violate(common.RUN.arguments, folder, env=environment)
        drill.require("profiling was finished before" in again.err, f"the clock {name} made a run profile again", folder)
        drill.require(common.rows_of(folder / "out/table.db") == rows, f"the clock {name} made a run measure rows again", folder)
        kept = (folder / "out/compare-one-1.json").read_text()
        drill.require(kept == before["compare-one-1.json"], f"the clock {name} made a run compare again", folder)
        drill.run_or_violate(["report", "out"], folder, env=environment)
        require_as_many_rows(drill, folder, environment, [], f"the clock {name}")
        make_noisy(folder / "table.db")  # rows dated later than now are rows of an earlier run all the same
        require_as_many_rows(drill, folder, environment, ["--remeasure-noisy"], f"the clock {name} and noisy rows")
        drill.count("clocks")
        drill.say(f"clock {name}: profile, run and report as with the usual clock, and resumed")


def make_noisy(table):
    database = sqlite3.connect(table)
    database.execute("UPDATE measurement SET status = 'noisy', reason = 'the time was up'")
    database.commit()
    database.close()


def require_as_many_rows(drill, folder, environment, options, when):
    """Profile measures of one table as many rows by either clock. On a real device that is as it happens."""
    shutil.copy(folder / "table.db", folder / "usual.db")
    arguments = common.PROFILE.arguments[:-1]
    usual = drill.run_or_violate(arguments + ["usual.db", "--json", *options], folder)
    other = drill.run_or_violate(arguments + ["table.db", "--json", *options], folder, env=environment)
    if drill.made_up and usual.status in common.DONE and other.status in common.DONE:
        expected, measured = (json.loads(answer.out)["measured"] for answer in (usual, other))
        drill.require(measured == expected, f"with {when} profile measured {measured} rows, not {expected}", folder)
