"""Whom a run directory's records do not name any more is never signalled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from gitcto.effects import SystemEffects
from gitcto.runtime.loop.leases import PATIENCE_S
from gitcto.runtime.worker import hung, processes, workers

if TYPE_CHECKING:
    from pathlib import Path


def left_by_a_dead_supervisor(bench: Any, until: Any) -> None:
    """Start a worker, and let its supervisor be gone with nothing left of either."""
    started = bench.spawn("/bin/sleep", "600")
    for pid in (started.supervisor_pid, started.pid):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not workers.observe(bench.run_dir).alive)


def claim(run_dir: Path, pid: int, start: str) -> None:
    """Let the records name another process, as after its pid was given out again."""
    record = json.loads((run_dir / "started.json").read_bytes())
    record |= {"pid": pid, "process_start": start}
    record |= {"supervisor_pid": pid, "supervisor_start": start}
    (run_dir / "started.json").write_text(json.dumps(record))


def test_a_pid_that_a_stranger_has_now_is_left_alone(bench: Any, until: Any) -> None:
    left_by_a_dead_supervisor(bench, until)
    with subprocess.Popen(("/bin/sleep", "600"), env={}) as stranger:
        try:
            start = processes.start_of(stranger.pid) or ""
            boot, _, ticks = start.rpartition(":")
            claim(bench.run_dir, stranger.pid, f"{boot}:{int(ticks or 0) - 1}")
            assert hung.end(bench.run_dir, SystemEffects(), PATIENCE_S).cause == "lost"
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_records_of_before_a_reboot_name_nobody(bench: Any, until: Any) -> None:
    """The same pid, started as many ticks after another boot, is another process."""
    left_by_a_dead_supervisor(bench, until)
    with subprocess.Popen(("/bin/sleep", "600"), env={}) as stranger:
        try:
            ticks = (processes.start_of(stranger.pid) or "").rpartition(":")[2]
            claim(bench.run_dir, stranger.pid, f"00000000-an-earlier-boot:{ticks}")
            assert workers.wait(bench.run_dir).cause == "lost"
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_copied_clone_leaves_the_workers_of_the_original_alone(bench: Any) -> None:
    """The lock is not held in the copy, and its records name living processes, start and all."""
    started = bench.spawn("/bin/sleep", "600")
    copy = bench.tmp / "copy"
    shutil.copytree(bench.run_dir, copy)
    assert not workers.observe(copy).alive
    assert hung.end(copy, SystemEffects(), PATIENCE_S).cause == "lost"
    assert workers.observe(bench.run_dir).alive
    assert processes.start_of(started.pid) == started.process_start
    (bench.run_dir).rename(bench.tmp / "moved")  # the original, under another name, is none
    bench.runs[:] = [bench.tmp / "moved"]
    os.kill(started.supervisor_pid, signal.SIGKILL)
    assert workers.wait(bench.tmp / "moved").cause == "lost"
    assert processes.start_of(started.pid) != started.process_start


def test_a_stopped_supervisor_is_cut_off_and_its_whole_tree_goes(bench: Any) -> None:
    started = bench.spawn(*bench.holding("keep"))
    bench.await_holding()
    os.kill(started.supervisor_pid, signal.SIGSTOP)
    os.kill(started.pid, signal.SIGSTOP)
    assert hung.end(bench.run_dir, SystemEffects(), patience_s=0.1).cause == "lost"
    assert not bench.held()


def test_a_supervisor_that_answers_ends_its_worker_itself(bench: Any) -> None:
    bench.spawn(*bench.holding("keep"))
    bench.await_holding()
    assert hung.end(bench.run_dir, SystemEffects(), PATIENCE_S).cause == "stopped"
    assert not bench.held()


def test_a_worker_that_never_was_leaves_nothing(tmp_path: Path) -> None:
    records = tmp_path / "records"
    assert hung.end(records, SystemEffects(), PATIENCE_S).cause == "lost"
    assert not records.exists()
