"""The values that describe a supervised worker, as the orchestrator sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitcto.errors import CtoError, ExitCode
from gitcto.runtime.worker import run_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.provider_contracts import StopNote

LOST = -1
"""``Exit.code`` of a worker whose own status nobody could collect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may use; None is no limit.

    ``wall_s``: seconds from its start. ``idle_s``: seconds without output and without CPU time
    used by any of its processes. ``output_bytes`` and ``output_lines``: kept per output file, half
    from its beginning and half from its end. ``memory_bytes`` and ``processes``: resident memory
    (shared pages once) and number of its whole tree, with 16 threads each on average;
    ``file_bytes``: its largest file, its output included; ``disk_bytes``: all that lies below the
    directories it may write. ``grace_s``: seconds between being asked, SIGINT, SIGTERM and SIGKILL.
    """

    wall_s: float | None
    idle_s: float | None
    output_bytes: int
    output_lines: int | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    file_bytes: int | None = None
    disk_bytes: int | None = None
    grace_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Where a supervisor says that it lives: the sidecar's path, and whose beat it is."""

    sidecar: Path
    team: str
    execution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way out of a sandbox: a proxy at the unix ``socket`` that leads to ``destinations``."""

    socket: Path
    destinations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a supervisor starts: ``argv`` with exactly ``env`` in ``cwd``.

    ``writes`` are the directories it may fill up. With a ``way`` a proxy of its own runs outside
    its sandbox, from before its start to after its end. ``isolation`` is recorded with its start.
    ``interrupt`` is the note that asks it to end in its own protocol, and the directory that this
    lies below: it is left there before any signal is sent.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    writes: tuple[Path, ...] = ()
    way: Way | None = None
    isolation: Mapping[str, Any] = field(default_factory=dict)
    interrupt: tuple[Path, StopNote] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker and its supervisor; a ``*_start`` tells a process from a later one with its pid.

    ``isolation`` is what the program that was started said of its sandbox.
    """

    pid: int
    process_start: str
    supervisor_pid: int
    supervisor_start: str
    isolation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step on the way to a worker's end, ``at_s`` seconds after its start.

    ``signal`` is the name of the one that was sent to the whole tree, or ``protocol`` when its
    note was left.
    """

    signal: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The end of a worker and of every process it started.

    ``code`` is its exit status as a shell has it (128 + n after signal n; 127 no such program, 126
    cannot be executed), ``LOST`` when nobody knows. ``cause`` is ``exited``, ``wall``, ``idle``,
    ``output``, ``memory``, ``processes``, ``disk``, ``stopped``, ``helper`` (its proxy could not
    start or ended first) or ``lost`` (its supervisor died first). ``survivors`` counts processes
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


class SpawnError(CtoError):
    """The supervisor itself could not start; nothing is running."""

    def __init__(self, run_dir: Path, reason: str) -> None:
        super().__init__(
            f"cannot supervise a worker: {reason}",
            f"see {run_dir / run_files.SUPERVISOR_LOG}; check free space and process limits",
            ExitCode.INTERNAL,
        )
