"""Start, watch, re-adopt and end workers, each under its own supervisor process.

Everything a later orchestrator needs is in the run directory, so a worker and the supervisor it
runs under outlive the orchestrator that started them. See ``supervision`` for the order of things.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from gitcto.contracts import CommandResult
from gitcto.git.durable import explain
from gitcto.runtime.worker import run_files, supervisor
from gitcto.runtime.worker.worker_records import read_exit, read_started, record_lost
from gitcto.runtime.worker.worker_values import (
    LOST,
    Exit,
    Heartbeat,
    Limits,
    Observed,
    Program,
    Rung,
    SpawnError,
    Started,
)
from gitcto.untrusted_files import remove_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.provider_contracts import StopNote
    from gitcto.runtime.worker.stopping import Stop

__all__ = [
    "LOST",
    "CommandResult",
    "Exit",
    "Heartbeat",
    "Limits",
    "Observed",
    "Program",
    "Rung",
    "SpawnError",
    "Started",
    "end",
    "interrupt",
    "observe",
    "request_stop",
    "run_command",
    "spawn",
    "wait",
]

READY_DEADLINE_S = 30.0


def spawn(
    run_dir: Path, program: Program, limits: Limits, heartbeat: Heartbeat | None = None
) -> Started:
    """Start a worker in a new, private ``run_dir`` and return once that is on disk.

    The worker gets exactly its ``env`` and the variable that marks its processes. That its program
    can be executed is not known yet: if it cannot, ``wait`` says 126 or 127. A note that asked an
    earlier one to end is taken away. Raises ``SpawnError``, ``CtoError`` when that note cannot be
    reached, and ``FileExistsError`` when the directory was used before: one directory, one worker.
    """
    if program.interrupt:
        root, note = program.interrupt
        remove_below(root, note.path)
    with _supervised(run_dir, _launch(run_dir, program, limits, heartbeat)) as started:
        return started


def observe(run_dir: Path) -> Observed:
    """Return what is recorded and whether the supervisor lives; never blocks.

    Raises ``CtoError`` when that cannot be told.
    """
    alive = _lock_of(run_dir)
    if alive is None:
        return Observed(started=None, exit=None, alive=False)
    try:
        fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        living = False
    except BlockingIOError:
        living = True
    finally:
        os.close(alive)
    return Observed(started=read_started(run_dir), exit=read_exit(run_dir), alive=living)


def wait(run_dir: Path) -> Exit:
    """Block until the worker's tree is gone and return how it ended; any process may ask.

    When the supervisor died first, what is left of the tree is killed here and the exit recorded
    as ``lost``. The thread sleeps in the kernel and cannot be interrupted: use ``request_stop``.
    """
    alive = _lock_of(run_dir)
    if alive is None:
        return Exit(code=LOST, cause="lost", detail="it was never started")
    try:
        fcntl.flock(alive, fcntl.LOCK_SH)
        ended = read_exit(run_dir)
        _reap(run_dir, at_once=ended is None)
        if ended is None:
            fcntl.flock(alive, fcntl.LOCK_EX)  # of several waiters one cleans up
            ended = read_exit(run_dir) or record_lost(run_dir)
        return ended
    finally:
        os.close(alive)


def _lock_of(run_dir: Path) -> int | None:
    """Open what a supervisor holds locked while it lives; None when there never was one."""
    try:
        return os.open(run_dir / run_files.ALIVE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error, f"look after worker {run_dir.name}") from error


def end(run_dir: Path) -> Observed:
    """End a worker if it lives, wait until nothing of it runs, and return what is recorded then."""
    seen = observe(run_dir)
    if seen.alive:
        request_stop(run_dir)
    if seen.exit is None:  # also what is left of one whose supervisor died before it said so
        wait(run_dir)
    return observe(run_dir)


def request_stop(run_dir: Path) -> None:
    """Ask for the end of the worker: in its protocol, then of its tree. Returns at once."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # asked for before it was started
    (run_dir / run_files.STOP).touch()


def interrupt(run_dir: Path) -> None:
    """Ask for the same in haste; see :func:`gitcto.runtime.worker.run_files.interrupt`."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # asked for before it was started
    run_files.interrupt(str(run_dir))


def run_command(
    program: Program, limits: Limits, scratch: Path, stop: Stop | None = None
) -> CommandResult:
    """Run a command to its end under a supervisor of its own; nothing of it is left afterwards.

    ``output`` is stdout and stderr in the order written: head, one line, tail when longer than
    the limit, and a last line when the command could not start, was ended, or could not be ended
    as a whole; ``code`` is None in the last two cases. It ends with this process, should this
    process die, and when ``stop`` is asked. ``scratch`` is a directory that it cannot write. Raises
    ``SpawnError``.
    """
    with tempfile.TemporaryDirectory(prefix=run_files.COMMAND, dir=scratch) as private:
        run_dir = Path(private) / "run"
        launch = _launch(run_dir, program, limits, None)
        stopping = stop.ends(run_dir) if stop else contextlib.nullcontext()
        with stopping, _supervised(run_dir, launch | {"tethered": True, "merged": True}):
            ended = wait(run_dir)
        output = (run_dir / run_files.STDOUT).read_bytes()
    if ended.cause != "exited":
        reason = f"{ended.cause}: {ended.detail}"
        if ended.cause == "wall":
            reason = f"ended at its deadline of {limits.wall_s:g} s"
        return CommandResult(code=None, output=output + _remark(reason), cause=ended.cause)
    if ended.survivors:
        reason = f"{ended.survivors} of its processes could not be ended"
        return CommandResult(code=None, output=output + _remark(reason), cause="survivors")
    failed = ended.detail.startswith("cannot start")
    return CommandResult(
        code=ended.code, output=output + (_remark(ended.detail) if failed else b"")
    )


def _remark(text: str) -> bytes:
    return f"\n[git-cto: {text}]\n".encode(errors="replace")


def _launch(
    run_dir: Path, program: Program, limits: Limits, heartbeat: Heartbeat | None
) -> dict[str, Any]:
    beat = heartbeat and asdict(heartbeat) | {"sidecar": str(heartbeat.sidecar)}
    way = program.way and asdict(program.way) | {"socket": str(program.way.socket)}
    return {
        "argv": list(program.argv),
        "env": dict(program.env) | {run_files.MARKER: str(run_dir.resolve())},
        "cwd": str(program.cwd),
        "writes": [str(path.resolve()) for path in program.writes],
        "way": way,
        "isolation": dict(program.isolation),
        "interrupt": program.interrupt and _note(*program.interrupt),
        "heartbeat": beat,
        "limits": asdict(limits),
        "tethered": False,
        "merged": False,
    }


def _note(root: Path, note: StopNote) -> dict[str, str]:
    return {"root": str(root), "path": note.path, "text": note.text}


_children: dict[Path, subprocess.Popen[bytes]] = {}
"""Supervisors this process started and has to reap; those of others are init's."""


@contextlib.contextmanager
def _supervised(run_dir: Path, launch: Mapping[str, Any]) -> Iterator[Started]:
    """Start a supervisor; its tether, if it has one, is held while the context is open."""
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(run_dir / run_files.LAUNCH, "x", opener=_private, encoding="ascii") as file:
            json.dump({**launch, "inode": run_dir.stat().st_ino}, file)
    except FileExistsError:
        raise
    except OSError as error:
        raise SpawnError(run_dir, str(error)) from error
    ready, writing = os.pipe()
    try:
        try:
            _start_supervisor(run_dir, writing)
        except OSError as error:
            raise SpawnError(run_dir, str(error)) from error
        finally:
            os.close(writing)
        yield _await_ready(run_dir, ready)
    finally:
        os.close(ready)


def _start_supervisor(run_dir: Path, ready: int) -> None:
    """Start the program with the lock already held, so that no waiter can come too early."""
    fresh = run_dir / f"{run_files.ALIVE}.new"
    alive = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fresh.rename(run_dir / run_files.ALIVE)
        program = [sys.executable, "-I", "-S", "-X", "utf8", str(supervisor.__file__)]
        with open(run_dir / run_files.SUPERVISOR_LOG, "xb", opener=_private) as log:
            _children[run_dir.resolve()] = subprocess.Popen(
                [*program, str(run_dir.resolve()), str(alive), str(ready)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(alive, ready),
                start_new_session=True,
            )
    finally:
        os.close(alive)


def _await_ready(run_dir: Path, ready: int) -> Started:
    poll = select.poll()
    poll.register(ready, select.POLLIN)
    said = os.read(ready, 1) if poll.poll(READY_DEADLINE_S * 1000) else b""
    started = read_started(run_dir) if said else None
    if started is None:
        _children[run_dir.resolve()].send_signal(signal.SIGKILL)
        wait(run_dir)
        log = (run_dir / run_files.SUPERVISOR_LOG).read_text(errors="replace").splitlines()
        raise SpawnError(run_dir, log[-1] if log else "the supervisor did not get ready")
    return started


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reap(run_dir: Path, *, at_once: bool) -> None:
    """Reap a supervisor of ours. One that recorded the end is there for a moment after that."""
    child = _children.pop(run_dir.resolve(), None)
    if child is None:
        return
    if at_once:
        child.wait()
    else:
        Thread(target=child.wait, name="reap").start()
