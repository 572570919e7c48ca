"""One worker from start to end: how it is started, what it gets, and how its end is told."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from gitcto.errors import CtoError
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import SpawnError


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_the_workers(bench, code):
    ended = bench.run("sh", "-c", f"echo out; echo err >&2; exit {code}")
    assert (ended.code, ended.cause, ended.detail) == (code, "exited", "")
    assert bench.output() == b"out\n"
    assert (bench.run_dir / "stderr.log").read_bytes() == b"err\n"


def test_death_by_a_signal_is_told_as_a_shell_tells_it(bench):
    ended = bench.run("sh", "-c", "kill -KILL $$")
    assert (ended.code, ended.cause, ended.detail) == (137, "exited", "killed by SIGKILL")


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program"])
def test_a_missing_program_is_127(bench, program):
    ended = bench.run(program)
    assert (ended.code, ended.cause) == (127, "exited")
    assert ended.detail == f"cannot start: program '{program}': No such file or directory"


def test_a_program_that_cannot_be_executed_is_126(bench):
    (bench.tmp / "plain").write_text("echo never")
    ended = bench.run(str(bench.tmp / "plain"))
    assert (ended.code, ended.cause) == (126, "exited")
    assert ended.detail.endswith("plain': Permission denied")


@pytest.mark.parametrize("argv", [(), ("sh", "a\0b")])
def test_an_impossible_argv_is_126(bench, argv):
    ended = bench.run(*argv)
    assert (ended.code, ended.cause) == (126, "exited")
    assert ended.detail.endswith("Invalid argument")


def test_a_missing_working_directory_is_126(bench):
    gone = bench.tmp / "gone"
    bench.start(bench.program("true", cwd=gone))
    ended = workers.wait(bench.run_dir)
    assert ended.code == 126
    assert ended.detail == f"cannot start: working directory '{gone}': No such file or directory"


def test_the_environment_is_exactly_the_given_one_and_the_marker(bench):
    given = {"A": "1", "B": "ü\n2", "PATH": "/usr/bin:/bin"}
    bench.start(bench.program("env", "-0", env=given))
    workers.wait(bench.run_dir)
    seen = dict(pair.split("=", 1) for pair in bench.output().decode().split("\0") if pair)
    assert seen == given | {"CTO_EXECUTION_DIR": str(bench.run_dir)}


def test_arguments_arrive_byte_for_byte(bench):
    odd = ["", " ", "a\nb", "grün ☃", "-n", os.fsdecode(b"\xff\xfe"), "$HOME"]
    bench.run("printf", r"%s\0", *odd)
    assert bench.output() == b"".join(os.fsencode(arg) + b"\0" for arg in odd)


def test_stdin_is_empty_and_the_directory_is_the_given_one(bench):
    ended = bench.run("sh", "-c", "cat; pwd -P")
    assert ended.code == 0
    assert bench.output().decode() == f"{bench.tmp.resolve()}\n"


def test_signals_are_as_in_a_fresh_shell(bench):
    bench.run("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
    # glibc's posix_spawn (make uses it) leaves its own signals 32 and 33 ignored in every child,
    # and no program can reset them.
    own = 1 << 31 | 1 << 32
    assert {int(line.split()[1], 16) & ~own for line in bench.output().splitlines()} == {0}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_who_uses_nohup_is_left_its_choice(bench):
    bench.run("sh", "-c", "nohup grep ^SigIgn /proc/self/status 2>/dev/null")
    assert int(bench.output().split()[1], 16) & 1 << (signal.SIGHUP - 1)


def test_no_descriptor_of_the_supervisor_reaches_the_worker(bench):
    bench.run(sys.executable, "-Sc", "import os; print(sorted(map(int, os.listdir('/dev/fd'))))")
    assert bench.output() == b"[0, 1, 2, 3]\n"  # 3 is the listing itself


def test_a_directory_serves_one_worker(bench):
    bench.run("true")
    with pytest.raises(FileExistsError):
        bench.spawn("true")


def test_records_are_private(bench):
    bench.run("true")
    assert bench.run_dir.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in bench.run_dir.iterdir()} == {0}


def test_observe_follows_the_worker(bench):
    assert workers.observe(bench.run_dir) == workers.Observed(started=None, exit=None, alive=False)
    gate = bench.fifo("gate")
    started = bench.spawn("cat", str(gate))
    seen = workers.observe(bench.run_dir)
    assert (seen.started, seen.exit, seen.alive) == (started, None, True)
    gate.write_text("go")
    ended = workers.wait(bench.run_dir)
    assert workers.observe(bench.run_dir) == workers.Observed(
        started=started, exit=ended, alive=False
    )


def test_a_worker_that_cannot_be_recorded_never_runs(bench):
    (bench.run_dir / "started.json" / "in the way").mkdir(parents=True)
    with pytest.raises(SpawnError, match="directory") as caught:
        bench.spawn("touch", str(bench.tmp / "ran"))
    assert "supervisor.log" in caught.value.hint
    assert workers.wait(bench.run_dir).cause == "lost"
    assert not (bench.tmp / "ran").exists()


def test_a_run_directory_that_cannot_be_made_is_a_spawn_error(bench):
    (bench.tmp / "file").touch()
    limits = workers.Limits(wall_s=50, idle_s=None, output_bytes=1000)
    with pytest.raises(SpawnError):
        workers.spawn(bench.tmp / "file" / "run", bench.program("true"), limits)


def test_waiting_for_what_never_started_says_lost(tmp_path):
    assert workers.wait(tmp_path / "nothing").cause == "lost"


def test_its_output_can_be_read_while_the_worker_runs(bench):
    ready, gate = bench.fifo("ready"), bench.fifo("gate")
    bench.spawn("sh", "-c", f"seq 1000; echo > '{ready}'; cat '{gate}'")
    ready.read_text()
    assert (bench.run_dir / "stdout.log").read_bytes().endswith(b"999\n1000\n")
    gate.write_text("go")


def test_the_supervisor_is_out_of_reach_of_the_terminal(bench):
    gate = bench.fifo("gate")
    started = bench.spawn("cat", str(gate))
    assert os.getsid(started.supervisor_pid) == started.supervisor_pid != os.getsid(0)
    with gate.open("w"):  # it runs: before, it may be on its way there
        assert os.getsid(started.pid) == started.pid


@pytest.mark.parametrize("ask", [workers.observe, workers.wait])
def test_a_lock_that_cannot_be_looked_at_is_no_answer(tmp_path, ask):
    (tmp_path / "alive").symlink_to("alive")
    with pytest.raises(CtoError, match="cannot look after worker"):
        ask(tmp_path)


def test_sigterm_to_the_supervisor_stops_the_worker(bench):
    started = bench.spawn("sleep", "600")
    os.kill(started.supervisor_pid, signal.SIGTERM)
    assert workers.wait(bench.run_dir).cause == "stopped"


def test_a_stop_asked_for_before_the_start_ends_the_worker(bench):
    workers.request_stop(bench.run_dir)
    bench.spawn("sleep", "600")
    assert workers.wait(bench.run_dir).cause == "stopped"
