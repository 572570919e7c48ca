"""Commands of gates: the same supervision, the output in one piece, the answer at once."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from gitcto.runtime.worker import workers

ENV = {"PATH": "/usr/bin:/bin"}


def run(*argv, cwd, deadline_s=50.0, output_bytes=1 << 20, **more):
    program = workers.Program(argv=argv, env=ENV, cwd=cwd)
    limits = workers.Limits(wall_s=deadline_s, idle_s=None, output_bytes=output_bytes, **more)
    return workers.run_command(program, limits, cwd)


def test_output_is_in_the_order_written_and_the_code_the_commands(tmp_path):
    result = run("sh", "-c", "echo a; echo b >&2; pwd -P; exit 4", cwd=tmp_path)
    assert (result.code, result.output) == (4, f"a\nb\n{tmp_path.resolve()}\n".encode())


def test_at_the_deadline_there_is_no_code(tmp_path):
    result = run("sh", "-c", "echo begun; sleep 600; echo never", cwd=tmp_path, deadline_s=0.2)
    assert result.code is None
    assert result.output.startswith(b"begun\n")
    assert b"never" not in result.output
    assert result.output.endswith(b"[git-cto: ended at its deadline of 0.2 s]\n")


def test_a_missing_program_is_said(tmp_path):
    result = run("no-such-program", cwd=tmp_path)
    assert result.code == 127
    assert b"no-such-program" in result.output


def test_stdin_is_empty_and_output_is_bounded(tmp_path):
    result = run("sh", "-c", "cat; seq 100000", cwd=tmp_path, output_bytes=1000)
    assert result.code == 0
    assert len(result.output) < 1100
    assert result.output.startswith(b"1\n2\n")
    assert result.output.endswith(b"\n100000\n")


def test_a_daemon_does_not_hold_the_answer_up_and_is_gone(bench):
    argv = bench.holding("leave")
    reader = threading.Thread(target=bench.await_ready)
    reader.start()
    result = run(*argv, cwd=bench.tmp)
    reader.join()
    assert result.code == 0
    assert not bench.held()


def test_nothing_is_left_in_its_scratch_directory(tmp_path):
    run("true", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_descriptor_and_no_child_is_leaked(tmp_path):
    with contextlib.suppress(ChildProcessError):
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG):
            pass  # a child of an earlier test, which that one killed
    before = _open_descriptors()
    run("true", cwd=tmp_path)
    assert _open_descriptors() == before
    deadline = time.monotonic() + 30
    with contextlib.suppress(ChildProcessError):  # its supervisor may be there for a moment
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            assert time.monotonic() < deadline, "a zombie"
            time.sleep(0.001)


def _open_descriptors():
    return len(list(Path("/dev/fd").iterdir()))
