"""Commands that are killed at random moments, and commands that signals interrupt."""
import json
import signal
import subprocess
import time

from drills import common


def complete(drill, job, folder, seen, whole):
    """The same command, given again, does the rest. Training ends with the numbers of one that nothing interrupted."""
    answer = drill.run_or_violate(job.arguments, folder)
    common.require_nothing_lost(drill, job, folder, seen)
    if job.name == "run" and answer.status in common.DONE:
        drill.require((folder / "out/report.html").exists(), "the resumed run wrote no report", folder)
    if job is common.TRAIN:
        numbers = [[value for value, _ in common.rows_of(place / job.table, job.query).values()] for place in (folder, whole)]
        drill.require(numbers[0] == numbers[1], f"training ended with {numbers[0]}, not {numbers[1]}", folder)


def run_whole(drill, job):
    """The folder of the job that nothing interrupts, and how long it takes."""
    folder = job.prepare(drill, f"{job.name}-whole")
    began = time.monotonic()
    drill.run_or_violate(job.arguments, folder)
    return folder, time.monotonic() - began


def kill(drill):
    for job in common.jobs(drill):
        whole, longest_s = run_whole(drill, job)
        folder = job.prepare(drill, f"{job.name}-killed")
        seen, kills, completions = {}, 0, 0
        while kills < drill.times and not drill.violations:
            moment = common.interrupt_at_random(drill, job, folder, longest_s, signal.SIGKILL)
            seen.update(moment.seen)
            if moment.ended_itself:
                drill.require(moment.status in common.DONE,
                              f"{job.name} ended with {moment.status} after kills: {moment.answer.err.strip()[-500:]}", folder)
                completions += 1
            else:
                kills += 1
            common.require_nothing_lost(drill, job, folder, seen)
            if moment.ended_itself:
                folder, seen = job.prepare(drill, f"{job.name}-killed"), {}
        complete(drill, job, folder, seen, whole)
        drill.count("kills", kills)
        drill.say(f"kill {job.name}: {kills} kills within {longest_s:.1f} s, {completions + 1} times completed after them")


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def is_finished(folder):
    """Whether the run did all it had to before the signal came."""
    return json.loads((folder / "out/suite.json").read_text())["finished"]


def signals(drill):
    for job in common.jobs(drill):
        whole, longest_s = run_whole(drill, job)
        statuses = {}
        for number, status in SIGNALS.items():
            folder, seen = job.prepare(drill, f"{job.name}-signalled"), {}
            for _ in range(max(1, drill.times // len(SIGNALS))):
                moment = common.interrupt_at_random(drill, job, folder, longest_s, number)
                seen.update(moment.seen)
                common.require_nothing_lost(drill, job, folder, seen)
                statuses[moment.status] = statuses.get(moment.status, 0) + 1
                if moment.ended_itself or moment.status in common.DONE:  # the signal came when all was done
                    drill.require(moment.status in common.DONE, f"{job.name} ended with {moment.status}", folder)
                    folder, seen = job.prepare(drill, f"{job.name}-signalled"), {}
                    continue
                # A signal before the program catches it ends the process; a shell calls that 128 + its number too.
                drill.require(moment.status in (status, -number),
                              f"{job.name} ended with {moment.status} by {number.name}, not {status}: "
                              f"{moment.answer.err.strip()[-300:]}", folder)
                if job is common.RUN and moment.status == status and moment.seen and not is_finished(folder):
                    drill.require("the same command" in moment.answer.err,
                                  f"{job.name} does not say how to resume: {moment.answer.err.strip()[-300:]}", folder)
            complete(drill, job, folder, seen, whole)
        drill.count("signals", sum(statuses.values()))
        drill.say(f"signals {job.name}: ended with " + ", ".join(f"{key} {value} times" for key, value in sorted(statuses.items())))
    pipes(drill)


def pipes(drill):
    """Readers that have seen enough, as in `| head -1`."""
    folder = common.COMPARE.prepare(drill, "pipes")
    commands = [["table", "query", "table.db"], ["table", "export", "table.db"], ["table", "export", "table.db", "--format", "json"],
                ["table", "check", "table.db"], ["models"], ["models", "show", "resnet50", "--layers", "--graph"],
                ["completion", "bash"], common.PROFILE.arguments, common.COMPARE.arguments]
    for arguments in commands:
        for lines in (0, 1):
            process = drill.start(arguments, folder, stderr=subprocess.PIPE)
            for _ in range(lines):
                process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read()
            process.stderr.close()
            process.wait()
            drill.require(process.returncode in common.DONE and "error: " not in err,
                          f"{' '.join(arguments)} | head -{lines} ended with {process.returncode}: {err.strip()[-300:]}", folder)
            drill.count("closed pipes")
    drill.require_sound(folder / "table.db", "after readers of the output were gone")
    drill.say(f"signals pipes: {2 * len(commands)} commands whose reader was gone ended with 0 or 4")
