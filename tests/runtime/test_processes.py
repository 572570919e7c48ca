"""Processes are told apart by pid and start, and families by descent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.runtime.worker import processes
from gitcto.runtime.worker.processes import Process


@pytest.fixture
def sleeper(tmp_path):
    """A process whose name is made to confuse who reads /proc/<pid>/stat from the left."""
    program = tmp_path / "a) Z 1 (b"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "600"], env={"MARK": "yes"}) as process:
        yield process
        process.kill()


def test_a_process_is_found_with_its_parent_and_keeps_its_start(sleeper):
    row = processes.table()[sleeper.pid]
    assert row.parent == os.getpid()
    assert row.group == os.getpgid(sleeper.pid)
    assert row.session == os.getsid(sleeper.pid)
    assert row.start == processes.start_of(sleeper.pid)
    assert processes.start_of(os.getpid()) not in {None, row.start} or os.getpid() != row.pid


def test_a_zombie_is_no_process(sleeper):
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert processes.start_of(sleeper.pid) is None
    assert sleeper.pid not in processes.table()


HEADLESS = """
import ctypes, threading
threading.Thread(target=threading.Event().wait, args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows it as a zombie")
def test_a_process_whose_first_thread_has_ended_is_no_zombie(until):
    with subprocess.Popen([sys.executable, "-c", HEADLESS]) as process:
        state = Path(f"/proc/{process.pid}/stat")
        until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z")
        row = processes.table()[process.pid]
        assert row.start == processes.start_of(process.pid)
        assert processes.send(row, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_a_signal_reaches_exactly_the_process_meant(sleeper):
    row = processes.table()[sleeper.pid]
    other = Process(pid=row.pid, parent=0, group=0, session=0, start="another", cpu="")
    assert not processes.send(other, signal.SIGKILL)
    assert sleeper.poll() is None
    assert processes.send(row, signal.SIGTERM)
    assert sleeper.wait() == -signal.SIGTERM
    assert not processes.send(row, signal.SIGTERM)


def test_a_mark_is_a_whole_entry_of_the_environment(sleeper):
    assert processes.marked(b"MARK=yes", [sleeper.pid]) == {sleeper.pid}
    assert processes.marked(b"MARK=ye", [sleeper.pid]) == set()
    assert processes.marked(b"ARK=yes", [sleeper.pid]) == set()


def test_descendants_are_found_in_any_order_and_roots_are_not_among_them():
    parents = {9: 1, 3: 9, 7: 3, 2: 7, 8: 1, 5: 8}
    rows = {
        pid: Process(pid=pid, parent=parent, group=0, session=0, start="", cpu="")
        for pid, parent in sorted(parents.items())
    }
    assert set(processes.descendants({9}, rows)) == {3, 7, 2}
    assert set(processes.descendants({4}, rows)) == set()
