"""What all drills share: starting the program, reading tables beside it, and counting what went wrong."""
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

DONE = (0, 4)  # 4: done, but rows are noisy, as they may be on a busy machine
POLL_SECONDS = 0.01

NETWORK = """name: {name}
input: {{channels: 3, resolution: {resolution}}}
classes: 10
stem:
  - conv: {{width: {width}}}
stages:
  - {{name: stage1, block: basic, width: {width}, depth: 1}}
head:
  - global_avg_pool
  - linear: {{}}
"""
SUITE = """name: drill
models: [one.yaml]
verify: [two.yaml]
budgets: [1, 1.5]
strategies: [hacscale]
seconds: 0.02
minutes: 0.01
max_width_ratio: 2
max_depth_ratio: 1
threads: 1
"""
RECIPE = """name: drill
epochs: 3
batch: 32
schedule: cosine
peak_learning_rate: 0.1
precision: f32
"""
CIFAR_FILES = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
CIFAR_RECORDS = 40  # a file

ROWS = """SELECT layer.key, batch, dtype, cache, footprint_bytes, status || ' ' || ifnull(latency_us, ''), measured_at
          FROM measurement JOIN layer ON layer.id = layer_id"""
ACCURACIES = "SELECT model_hash, recipe_hash, data_hash, start_hash, seed, device, test_accuracy, finished_at FROM accuracy"


class Unable(Exception):
    """What a drill needs is not here; the text says what."""


@dataclasses.dataclass
class Answer:
    status: int
    out: str
    err: str

    def sentence_fault(self):
        """What is wrong with the error that the program ended with; empty where it is a sentence."""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        if not errors:
            return "there is no line that begins with 'error: '"
        text = errors[-1]
        for words in ("fault of hacscale", "not expected", "terminate called", "std::"):
            if words in text:
                return f"it is no sentence for users: {text}"
        return "" if len(text.split()) >= 6 else f"it says too little: {text}"


class Drill:
    """Where a drill works, with what, and what it found."""

    def __init__(self, program, times, seed, made_up, trainer, verbose):
        self.program = pathlib.Path(program).resolve()
        self.times = times
        self.random = random.Random(seed)
        self.made_up = made_up
        self.trainer = trainer
        self.verbose = verbose
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="hacscale-drill-"))
        self.work.chmod(0o755)
        self.violations = []
        self.counts = {}
        self.cleanup = []
        self.folders = 0
        # Drills share the machine with each other: no core is claimed. The choice of kernels is theirs alone.
        self.environment = dict(os.environ, HACSCALE_PLAN_CACHE=str(self.work / "plans"), HACSCALE_CORE_LOCKS="",
                                OMP_WAIT_POLICY="passive", OMP_PROC_BIND="false", LC_ALL="C.UTF-8")
        if made_up:
            self.environment["HACSCALE_BACKENDS"] = str(pathlib.Path(made_up).resolve())
        if trainer:
            self.environment["HACSCALE_MODULES"] = str(pathlib.Path(trainer).resolve())

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def violated(self, what, folder=None):
        self.violations.append(what)
        print(f"VIOLATED: {what}" + (f" (see {folder})" if folder else ""), file=sys.stderr, flush=True)

    def require(self, holds, what, folder=None):
        if not holds:
            self.violated(what, folder)
        return holds

    def say(self, text):
        print(text, flush=True)

    def folder(self, name):
        """A folder of that name, a new one each time, with the networks, the suite and the recipe of the drills."""
        self.folders += 1
        folder = self.work / f"{name}-{self.folders}"
        folder.mkdir()
        for network, width in (("one", 8), ("two", 16), ("three", 24)):
            (folder / f"{network}.yaml").write_text(NETWORK.format(name=network, width=width, resolution=16))
        (folder / "cifar.yaml").write_text(NETWORK.format(name="cifar", width=8, resolution=32))
        (folder / "suite.yaml").write_text(SUITE)
        (folder / "recipe.yaml").write_text(RECIPE)
        return folder

    def start(self, arguments, folder, **options):
        options.setdefault("env", self.environment)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        before = options.pop("before", [])
        return subprocess.Popen(before + [str(self.program)] + arguments, cwd=folder, text=True, **options)

    def run(self, arguments, folder, **options):
        process = self.start(arguments, folder, **options)
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.violated(f"{' '.join(arguments)} did not end within 300 s", folder)
        if self.verbose:
            print(f"+ {' '.join(arguments)} -> {process.returncode}\n{err}", file=sys.stderr)
        return Answer(process.returncode, out or "", err or "")

    def run_or_violate(self, arguments, folder, statuses=DONE, **options):
        answer = self.run(arguments, folder, **options)
        self.require(answer.status in statuses,
                     f"{' '.join(arguments)} ended with {answer.status}, not {statuses}: {answer.err.strip()[-500:]}", folder)
        return answer

    def require_sound(self, table, when):
        """The program finds the table in order."""
        answer = self.run(["table", "check", str(table)], table.parent)
        self.count("tables checked")
        return self.require(answer.status in DONE, f"{table.name} is damaged {when}: {(answer.out + answer.err).strip()[-500:]}",
                            table.parent)

    def require_refusal(self, answer, what, folder, statuses=(1, 2)):
        """The program refused with a sentence and one of these statuses."""
        if self.require(answer.status in statuses,
                        f"{what} ended with {answer.status}, not {statuses}: {answer.err.strip()[-500:]}", folder):
            fault = answer.sentence_fault()
            self.require(not fault, f"{what}: {fault}", folder)

    def finish(self):
        for undo in reversed(self.cleanup):
            undo()
        if not self.violations:
            shutil.rmtree(self.work, ignore_errors=True)


def rows_of(file, query=ROWS):
    """Rows that are committed now: value and date, the last two columns, by key. Nothing where there is no table yet.

    It opens the file to read and closes it again, so that the program alone brings the log into the file."""
    if not file.exists():
        return {}
    try:
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=1)
        try:
            return {row[:-2]: row[-2:] for row in database.execute(query)}
        finally:
            database.close()
    except sqlite3.DatabaseError:  # not there yet, or damaged, which the program is asked about
        return {}


def lost_rows(seen, now):
    """Keys that were committed and are gone, or are as they were before. A row may have been measured again since."""
    return [key for key, value in seen.items() if key not in now or now[key][1] < value[1]]


def fingerprint_of(folder):
    """Names and contents of all files below a folder."""
    files = {}
    for path in sorted(folder.rglob("*")):
        files[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return files


def make_small_cifar(folder):
    """CIFAR-10's six files with a few images each, and their sums."""
    folder.mkdir()
    sums = []
    image = 0
    for name in CIFAR_FILES:
        content = bytearray()
        for _ in range(CIFAR_RECORDS):
            content.append(image % 10)
            content += bytes((image * 31 + pixel * 7) % 256 for pixel in range(3072))
            image += 1
        (folder / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))


@dataclasses.dataclass
class Job:
    """A command that is interrupted and given again until it completes."""
    name: str
    arguments: list
    table: str = "table.db"
    query: str = ROWS
    records: str = ""  # the folder of its JSON, where it has one

    def prepare(self, drill, name):
        folder = drill.folder(name)
        for file in drill.templates.get(self.name, []):
            target = folder / file.name
            shutil.copytree(file, target) if file.is_dir() else shutil.copy(file, target)
        return folder


PROFILE = Job("profile", ["profile", "one.yaml", "three.yaml", "--seconds", "0.02", "--minutes", "0.01", "--threads", "1",
                          "--table", "table.db"])
RUN = Job("run", ["run", "suite.yaml", "--out", "out"], table="out/table.db", records="out")
COMPARE = Job("compare", ["compare", "one.yaml", "--table", "table.db", "--budget", "1.5", "--strategies",
                          "width-only,uniform,hacscale", "--seconds", "0.05", "--threads", "1", "--max-depth-ratio", "1"])
TRAIN = Job("train", ["train", "cifar.yaml", "--data", "data", "--recipe", "recipe.yaml", "--record", "accuracy.db",
                      "--checkpoints", "checkpoints", "--threads", "1"], table="accuracy.db", query=ACCURACIES)


def jobs(drill):
    """The commands that drills interrupt; without the training module, training is left out, which is said."""
    drill.templates = {}
    source = drill.folder("template")
    drill.run_or_violate(PROFILE.arguments, source)
    drill.templates["compare"] = [source / "table.db"]
    chosen = [PROFILE, RUN, COMPARE]
    make_small_cifar(source / "data")
    drill.templates["train"] = [source / "data"]
    sample = TRAIN.prepare(drill, "train-sample")
    answer = drill.run(TRAIN.arguments, sample)
    if answer.status == 3:
        drill.say(f"train: left out, because {answer.err.strip().removeprefix('error: ')}")
    else:
        drill.require(answer.status == 0, f"train ended with {answer.status}: {answer.err.strip()[-500:]}", sample)
        chosen.append(TRAIN)
    return chosen


@dataclasses.dataclass
class Interruption:
    status: int       # of the process; None where it was killed on the way
    seen: dict        # rows committed before that
    ended_itself: bool
    answer: Answer


def interrupt_at_random(drill, job, folder, longest_s, number):
    """Starts the job, reads what it commits, and sends the signal at a random moment."""
    with open(folder / "answer.out", "w+") as out, open(folder / "answer.err", "w+") as err:
        process = drill.start(job.arguments, folder, stdout=out, stderr=err)
        until = time.monotonic() + drill.random.uniform(0.0, longest_s)
        seen = {}
        while process.poll() is None and time.monotonic() < until:
            seen.update(rows_of(folder / job.table, job.query))
            time.sleep(max(0.0, min(POLL_SECONDS, until - time.monotonic())))
        ended_itself = process.poll() is not None
        if not ended_itself:
            process.send_signal(number)
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            drill.violated(f"{job.name} did not end within 120 s of signal {number}", folder)
        out.seek(0)
        err.seek(0)
        return Interruption(process.returncode, seen, ended_itself, Answer(process.returncode, out.read(), err.read()))


def require_nothing_lost(drill, job, folder, seen):
    """After an interruption: the table is sound, has all rows seen before, and every record is whole. A copy is looked at, so that
    the next command meets the files as they were left."""
    copy = folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    table = copy / job.table
    if seen or table.exists():
        if job.query == ROWS:
            drill.require_sound(table, f"after {job.name} was interrupted")
        elif seen:
            drill.run_or_violate(["train", "--list", "--record", str(table)], copy, statuses=(0,))
        lost = lost_rows(seen, rows_of(table, job.query))
        drill.count("rows seen before", len(seen))
        drill.count("rows lost", len(lost))
        drill.require(not lost, f"{job.name}: {len(lost)} committed rows are gone, {lost[:2]}", folder)
    if job.records and (copy / job.records).is_dir():
        for file in (copy / job.records).glob("*.json"):
            try:
                json.loads(file.read_text())
            except ValueError as error:
                drill.violated(f"{file.name} is half a record after {job.name} was interrupted: {error}", folder)
