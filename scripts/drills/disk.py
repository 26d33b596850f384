"""Disks that are full, and files that may only be read."""
import os
import shutil
import subprocess

from drills import common

DISK_BYTES = 8 << 20
NOBODY = 65534


def require_reading(drill, folder, elsewhere, when, before=()):
    """Every command that only reads a table does so, and leaves the folder as it was."""
    as_it_was = common.fingerprint_of(folder)
    table = str(folder / "table.db")
    for arguments in (["table", "show", table], ["table", "check", table], ["table", "query", table],
                      ["table", "export", table], ["table", "export", table, "--format", "json"], ["table", "diff", table, table],
                      ["report", str(folder / "out"), "--out", str(elsewhere / "report")],
                      ["explain", str(folder / "one.yaml"), "--table", table, "--budget", "1.5"]):
        answer = drill.run(arguments, elsewhere, before=list(before))
        drill.require(answer.status in common.DONE,
                      f"{' '.join(arguments)} ended with {answer.status} {when}: {answer.err.strip()[-300:]}", folder)
        drill.count("commands that read")
        drill.require(common.fingerprint_of(folder) == as_it_was,
                      f"{' '.join(arguments)} left something behind {when}: "
                      f"{sorted(set(common.fingerprint_of(folder)) ^ set(as_it_was))}", folder)


def folder_with_run(drill, name):
    """A folder with a table and with a finished run in out/."""
    folder = drill.folder(name)
    drill.run_or_violate(common.PROFILE.arguments, folder)
    drill.run_or_violate(common.RUN.arguments, folder)
    return folder


class SmallDisk:
    """A file system in memory that can be filled to the last byte."""

    def __init__(self, drill):
        self.path = drill.work / "disk"
        self.path.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "hacscale-drill", str(self.path)],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            raise common.Unable(f"a small file system cannot be mounted ({mounted.stderr.strip()}); run it as root")
        drill.cleanup.append(lambda: self.unmount(drill))

    def unmount(self, drill):
        if drill.violations:
            shutil.copytree(self.path, drill.work / "disk-as-it-was", ignore=shutil.ignore_patterns("ballast"))
        subprocess.run(["umount", str(self.path)], check=False)

    def fill(self, spare):
        """Leaves so many bytes."""
        ballast = self.path / "ballast"
        with open(ballast, "wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                pass
        os.truncate(ballast, max(0, ballast.stat().st_size - spare))

    def free(self):
        (self.path / "ballast").unlink(missing_ok=True)

    def put(self, folder):
        """Copies a folder's files here; what was here goes."""
        for entry in self.path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(folder, self.path, dirs_exist_ok=True)


def full_disk(drill):
    if os.geteuid() != 0:
        raise common.Unable("a small file system can only be mounted by root")
    disk = SmallDisk(drill)
    source = folder_with_run(drill, "source")
    fresh = drill.folder("fresh")
    elsewhere = drill.folder("elsewhere")

    disk.put(source)
    disk.fill(0)
    require_reading(drill, disk.path, elsewhere, "on a full disk")
    drill.say(f"full-disk reading: {drill.counts['commands that read']} commands on a disk without a free byte")

    export = elsewhere / "rows.csv"
    export.write_text(drill.run_or_violate(["table", "export", "table.db"], source).out)
    cases = {
        "profile": (fresh, common.PROFILE.arguments, "table.db"),
        "profile more": (source, ["profile", "two.yaml", "--table", "table.db", "--own-layers", "--cache", "network,warm,cold",
                                  "--seconds", "0.05", "--threads", "1"], "table.db"),
        "run": (fresh, common.RUN.arguments, "out/table.db"),
        "report": (source, ["report", "out"], "out/table.db"),
        "merge": (source, ["table", "merge", "table.db", "out/table.db", "--out", "merged.db", "--tolerance", "0.9"], "table.db"),
        "append": (source, ["table", "merge", "out/table.db", "--out", "table.db", "--append", "--tolerance", "0.9"], "table.db"),
        "import": (source, ["table", "import", str(export), "--table", "imported.db", "--device-name", "Elsewhere"], "imported.db"),
        "compare": (source, common.COMPARE.arguments, "table.db"),
    }
    rounds = max(2, drill.times // len(cases))
    for name, (files, arguments, table) in cases.items():
        refusals = 0
        for number in range(rounds):
            disk.free()
            disk.put(files)
            seen = common.rows_of(disk.path / table)
            disk.fill(0 if number == 0 else drill.random.randrange(0, 200_000))
            answer = drill.run(arguments, disk.path)
            drill.count("commands on a full disk")
            if answer.status not in common.DONE:
                refusals += 1
                drill.require_refusal(answer, f"{name} on a full disk", disk.path, statuses=(1,))
                drill.require("space" in answer.err or "room" in answer.err,
                              f"{name} on a full disk does not say that it is full: {answer.err.strip()[-300:]}", disk.path)
            if (disk.path / table).exists():
                drill.require_sound(disk.path / table, f"after {name} on a full disk")
            disk.free()
            now = common.rows_of(disk.path / table)
            seen.update(now)
            if answer.status in common.DONE and name in ("merge", "append"):  # what reports success has all rows
                inputs = now.keys() | common.rows_of(disk.path / "out/table.db").keys()
                missing = inputs - common.rows_of(disk.path / ("merged.db" if name == "merge" else table)).keys()
                drill.require(not missing, f"{name} on a full disk reported success and left out {len(missing)} rows", disk.path)
            leftovers = [path.name for path in disk.path.rglob("*") if path.suffix in (".part", ".merge", ".new")]
            drill.require(not leftovers, f"{name} on a full disk left {leftovers}", disk.path)
            if name != "merge" or not (disk.path / "merged.db").exists():
                drill.run_or_violate(arguments, disk.path)
            drill.require_sound(disk.path / table, f"after {name} was given again")
            lost = seen.keys() - common.rows_of(disk.path / table).keys()  # of two rows, merge keeps the better one
            drill.count("rows lost", len(lost))
            drill.require(not lost, f"{name} on a full disk lost {len(lost)} rows: {sorted(lost)[:2]}", disk.path)
        drill.say(f"full-disk {name}: {rounds} times, {refusals} of them refused, then completed")
    disk.put(source)
    with open("/dev/full", "w", encoding="ascii") as full:
        for arguments in (["table", "export", "table.db"], ["table", "show", "table.db"], ["models"]):
            answer = drill.run(arguments, disk.path, stdout=full)
            drill.require_refusal(answer, f"{' '.join(arguments)} > /dev/full", disk.path, statuses=(1,))
    drill.say("full-disk answers: 3 commands whose output had no room ended with 1")


def read_only(drill):
    as_other_user = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            raise common.Unable("setpriv is not here, which makes root another user; install util-linux")
        as_other_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if subprocess.run(as_other_user + [str(drill.program), "--version"], capture_output=True, check=False).returncode != 0:
            raise common.Unable(f"{drill.program} cannot be run by other users; name one that can with --program")
    folder = folder_with_run(drill, "read-only")
    elsewhere = drill.folder("elsewhere")
    elsewhere.chmod(0o777)
    drill.environment["HACSCALE_PLAN_CACHE"] = ""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    drill.cleanup.append(lambda: [path.chmod(0o755) for path in [folder, *folder.rglob("*")]])
    require_reading(drill, folder, elsewhere, "of a folder that cannot be written", as_other_user)
    drill.say(f"read-only reading: {drill.counts['commands that read']} commands")
    as_it_was = common.fingerprint_of(folder)
    table = str(folder / "table.db")
    writers = [["profile", "two.yaml", "--table", table, "--own-layers", "--seconds", "0.02"],
               ["profile", "two.yaml", "--table", str(folder / "new.db"), "--own-layers", "--seconds", "0.02"],
               ["verify", "one.yaml", "--table", table, "--seconds", "0.02"],
               ["run", "suite.yaml", "--out", str(folder / "out")],
               ["run", "suite.yaml", "--out", str(folder / "new")],
               ["report", str(folder / "out")],
               ["table", "merge", str(folder / "out/table.db"), "--out", table, "--append"],
               ["table", "merge", table, "--out", str(folder / "new.db")],
               ["train", "--list", "--record", str(folder / "accuracy.db")]]
    for arguments in writers:
        answer = drill.run(arguments, elsewhere, before=as_other_user)
        drill.count("commands that write")
        drill.require_refusal(answer, " ".join(arguments), folder, statuses=(2,) if arguments[0] == "train" else (1,))
        drill.require(common.fingerprint_of(folder) == as_it_was, f"{' '.join(arguments)} changed a folder that it may only read",
                      folder)
    drill.say(f"read-only writing: {len(writers)} commands refused")
