"""Start, watch, re-adopt and end workers, each under its own supervisor process.

Everything a later orchestrator needs is in the run directory, so a worker and the supervisor it
runs under outlive the orchestrator that started them. See ``supervision`` for the order of things.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitcto.errors import CtoError, ExitCode
from gitcto.runtime import run_files, supervisor
from gitcto.runtime.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READY_DEADLINE_S = 30.0
GATE_GRACE_S = 1.0
LOST = -1
"""``Exit.code`` of a worker whose own status nobody could collect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may use; None is no limit.

    ``wall_s``: seconds from its start. ``idle_s``: seconds without output and without CPU time
    used by any of its processes. ``output_bytes``: kept per output file, half from its beginning
    and half from its end. ``grace_s``: seconds between SIGINT, SIGTERM and SIGKILL.
    """

    wall_s: float | None
    idle_s: float | None
    output_bytes: int
    grace_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker and its supervisor; a ``*_start`` tells a process from a later one with its pid."""

    pid: int
    process_start: str
    supervisor_pid: int
    supervisor_start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One signal sent to the whole tree, ``at_s`` seconds after the worker's start."""

    signal: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The end of a worker and of every process it started.

    ``code`` is its exit status as a shell has it (128 + n after signal n; 127 no such program, 126
    cannot be executed), ``LOST`` when nobody knows. ``cause`` is ``exited``, ``wall``, ``idle``,
    ``output``, ``stopped`` or ``lost`` (its supervisor died first). ``survivors`` counts processes
    that could not be killed; ``cut_bytes`` what was cut from its output.
    """

    code: int
    cause: str
    detail: str = ""
    wall_s: float = 0.0
    ladder: tuple[Rung, ...] = ()
    survivors: int = 0
    cut_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a run directory says now; ``alive`` means that somebody still looks after the worker."""

    started: Started | None
    exit: Exit | None
    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A finished command; ``code`` is None when it was ended at its deadline.

    ``output`` is stdout and stderr in the order written, bounded (head, one line, tail).
    """

    code: int | None
    output: bytes
    exit: Exit


class SpawnError(CtoError):
    """The supervisor itself could not start; nothing is running."""

    def __init__(self, run_dir: Path, reason: str) -> None:
        super().__init__(
            f"cannot supervise a worker: {reason}",
            f"see {run_dir / run_files.SUPERVISOR_LOG}; check free space and process limits",
            ExitCode.INTERNAL,
        )


def spawn(
    run_dir: Path, argv: Sequence[str], env: Mapping[str, str], cwd: Path, limits: Limits
) -> Started:
    """Start a worker in a new, private ``run_dir`` and return once that is on disk.

    The worker gets exactly ``env`` and the variable that marks its processes. That its program can
    be executed is not known yet: if it cannot, ``wait`` says 126 or 127. Raises ``SpawnError``,
    and ``FileExistsError`` when the directory was used before: one directory, one worker.
    """
    with _supervised(run_dir, _launch(run_dir, argv, env, cwd, limits)) as started:
        return started


def observe(run_dir: Path) -> Observed:
    """Return what is recorded and whether the supervisor lives; never blocks."""
    try:
        alive = os.open(run_dir / run_files.ALIVE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Observed(started=None, exit=None, alive=False)
    try:
        fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        living = False
    except BlockingIOError:
        living = True
    finally:
        os.close(alive)
    return Observed(started=_started(run_dir), exit=_exit(run_dir), alive=living)


def wait(run_dir: Path) -> Exit:
    """Block until the worker's tree is gone and return how it ended; any process may ask.

    When the supervisor died first, what is left of the tree is killed here and the exit recorded
    as ``lost``. The thread sleeps in the kernel and cannot be interrupted: use ``request_stop``.
    """
    try:
        alive = os.open(run_dir / run_files.ALIVE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Exit(code=LOST, cause="lost", detail="it was never started")
    try:
        fcntl.flock(alive, fcntl.LOCK_SH)
        _reap(run_dir)
        ended = _exit(run_dir)
        if ended is None:
            fcntl.flock(alive, fcntl.LOCK_EX)  # of several waiters one cleans up
            ended = _exit(run_dir) or _lost(run_dir)
        return ended
    finally:
        os.close(alive)


def request_stop(run_dir: Path) -> None:
    """Ask for the end of the worker: SIGINT, SIGTERM, SIGKILL to its tree. Returns at once."""
    (run_dir / run_files.STOP).touch()


def run_command(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    deadline_s: float,
    output_bytes: int,
) -> CommandResult:
    """Run a command to its end under a supervisor of its own; nothing of it is left afterwards.

    It ends with this process, should this process die. Raises ``SpawnError``.
    """
    limits = Limits(wall_s=deadline_s, idle_s=None, output_bytes=output_bytes, grace_s=GATE_GRACE_S)
    with tempfile.TemporaryDirectory(prefix="git-cto-") as scratch:
        run_dir = Path(scratch) / "run"
        launch = _launch(run_dir, argv, env, cwd, limits)
        with _supervised(run_dir, launch | {"tethered": True, "merged": True}):
            ended = wait(run_dir)
        output = (run_dir / run_files.STDOUT).read_bytes()
    return CommandResult(
        code=ended.code if ended.cause == "exited" else None, output=output, exit=ended
    )


def _launch(
    run_dir: Path, argv: Sequence[str], env: Mapping[str, str], cwd: Path, limits: Limits
) -> dict[str, Any]:
    return {
        "argv": list(argv),
        "env": dict(env) | {run_files.MARKER: str(run_dir.resolve())},
        "cwd": str(cwd),
        "limits": {
            "wall_s": limits.wall_s,
            "idle_s": limits.idle_s,
            "output_bytes": limits.output_bytes,
            "grace_s": limits.grace_s,
        },
        "tethered": False,
        "merged": False,
    }


_children: dict[Path, subprocess.Popen[bytes]] = {}
"""Supervisors this process started and has to reap; those of others are init's."""


@contextmanager
def _supervised(run_dir: Path, launch: Mapping[str, Any]) -> Iterator[Started]:
    """Start a supervisor; its tether, if it has one, is held while the context is open."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(run_dir / run_files.LAUNCH, "x", opener=_private, encoding="ascii") as file:
        json.dump(launch, file)
    ready, writing = os.pipe()
    try:
        _start_supervisor(run_dir, writing)
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
            _children[run_dir] = subprocess.Popen(
                [*program, str(run_dir.resolve()), str(alive), str(ready)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(alive, ready),
                start_new_session=True,
            )
    except OSError as error:
        raise SpawnError(run_dir, str(error)) from error
    finally:
        os.close(alive)
        os.close(ready)


def _await_ready(run_dir: Path, ready: int) -> Started:
    poll = select.poll()
    poll.register(ready, select.POLLIN)
    said = os.read(ready, 1) if poll.poll(READY_DEADLINE_S * 1000) else b""
    started = _started(run_dir) if said else None
    if started is None:
        _children[run_dir].send_signal(signal.SIGKILL)
        wait(run_dir)
        log = (run_dir / run_files.SUPERVISOR_LOG).read_text(errors="replace").splitlines()
        raise SpawnError(run_dir, log[-1] if log else "the supervisor did not get ready")
    return started


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reap(run_dir: Path) -> None:
    child = _children.pop(run_dir, None)
    if child is not None:
        child.wait()


def _started(run_dir: Path) -> Started | None:
    record: Any = run_files.read_record(str(run_dir), run_files.STARTED)
    return Started(**record) if record else None


def _exit(run_dir: Path) -> Exit | None:
    record: Any = run_files.read_record(str(run_dir), run_files.EXITED)
    if not record:
        return None
    return Exit(**record | {"ladder": tuple(Rung(**rung) for rung in record["ladder"])})


def _lost(run_dir: Path) -> Exit:
    started = _started(run_dir)
    killed, survivors = sweep(
        marker=f"{run_files.MARKER}={run_dir.resolve()}",
        pid=started.pid if started else 0,
        process_start=started.process_start if started else "",
    )
    detail = f"its supervisor died; {killed} left behind and killed"
    if survivors:
        detail += f"; survivors: {survivors}"
    record = {
        "code": LOST,
        "cause": "lost",
        "detail": detail,
        "wall_s": 0.0,
        "ladder": [],
        "survivors": survivors,
        "cut_bytes": 0,
    }
    run_files.write_record(str(run_dir), run_files.EXITED, record)
    return Exit(code=LOST, cause="lost", detail=detail, survivors=survivors)
