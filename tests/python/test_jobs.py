"""The process that measures: what is kept when it is interrupted, and what it leaves alone."""

import signal
import subprocess
import sys
import textwrap
import time

import hacscale as hs


def run_python(code, **options):
    code = f"import sys; sys.path[:0] = {sys.path!r}\n" + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def rows_in(file):
    try:
        return len(hs.Table(file))
    except hs.Error:
        return 0


def test_ctrl_c_keeps_what_was_measured(tmp_path):
    file = tmp_path / "interrupted.db"
    process = run_python(
        f"""
        import hacscale as hs
        networks = [hs.zoo(name) for name in hs.zoo_names()]
        hs.profile(networks, {str(file)!r}, widths=(0.25, 4), progress=False)
        """
    )
    deadline = time.monotonic() + 60
    while not rows_in(file):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0 and "KeyboardInterrupt" in said
    rows = len(hs.Table(file))
    assert rows > 0
    again = hs.profile(hs.zoo(hs.zoo_names()[0]), file, seconds=0.05, progress=False)  # nobody holds the table
    assert len(again) >= rows


def test_noisy_results_can_be_made_errors():
    process = run_python(
        """
        import warnings, hacscale as hs
        warnings.simplefilter("error", hs.NoisyResult)
        try:
            warnings.warn("slow", hs.NoisyResult)
        except hs.NoisyResult as noisy:
            print(noisy)
        """
    )
    said, _ = process.communicate(timeout=60)
    assert said.strip() == "slow"


def test_a_fork_after_profiling_reads_and_measures(net, table):
    """Nothing that measured is in this process, so a fork has no threads and no device to inherit."""
    import os

    latency = table.latency(net)
    child = os.fork()
    if child == 0:
        try:
            same = table.latency(net) == latency
            rows = len(hs.profile(net, table.file, seconds=0.05, progress=False))
            os._exit(0 if same and rows == len(table) else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_devices_are_listed():
    (device,) = hs.devices()
    assert device["id"] == "cpu" and device["name"] == "A made-up device"


def test_importing_loads_neither_torch_nor_pandas():
    said, _ = run_python("import hacscale; print({'torch', 'pandas', 'numpy'} & set(sys.modules))").communicate(timeout=60)
    assert said.strip() == "set()"
