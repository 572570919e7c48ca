"""Running ``git cto`` in a process that dies where it is told, and everything it leaves behind.

The process is forked from one that has imported everything, and runs the console script's own
entry point: what dies is the product as it is, started in a fiftieth of the time.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import walk_packages
from typing import TYPE_CHECKING, NoReturn, Self

import gitcto
from gitcto.runtime.worker import processes
from gitcto.testing.crash_points.points import listen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DEADLINE_S = 120.0
"""How long a command may take on a machine that is busy (seconds)."""

GONE_S = 30.0
"""How long what a command started may outlive the last command (seconds)."""

_POLL_S = 0.002
_NOT_HERE = ("gitcto.testing", "gitcto.escape", "gitcto.bench")
_PROGRAMS = ("__main__", "supervisor", "probe_program", "forwarder", "worker_child")
_FAILED = 99
_SUPERVISOR = "/gitcto/runtime/worker/supervisor.py "


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process is to be killed: at the n-th time it comes to a moment; 0 is never."""

    moment: str = ""
    passing: int = 0

    def __str__(self) -> str:
        """Return what :meth:`read` reads."""
        return f"{self.moment} #{self.passing}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``MOMENT #N``; the first passing where no number is given."""
        moment, _, passing = text.partition(" #")
        return cls(moment, int(passing or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended: ``code`` is negative for a signal, as ``subprocess`` has it.

    ``cpu_s`` includes the children it waited for, ``recovered_s`` how long it took to come to
    ``run.recovered``, if it did.
    """

    code: int
    said: str
    wall_s: float
    cpu_s: float
    moments: tuple[str, ...] = ()
    recovered_s: float | None = None


@dataclass(slots=True)
class Heard:
    """What a process hears of itself: it remembers all of it, or dies at one moment."""

    death: Death
    began_s: float = 0.0
    recovered_s: float | None = None
    moments: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, moment: str) -> None:
        """Take note of a moment, and die if it is the one."""
        with self._guard:
            self._counts[moment] += 1
            if (moment, self._counts[moment]) == (self.death.moment, self.death.passing):
                os.kill(os.getpid(), signal.SIGKILL)
            self.moments.append(moment)
            if moment == RECOVERED and self.recovered_s is None:
                self.recovered_s = time.monotonic() - self.began_s


RECOVERED = "run.recovered"


def import_everything() -> Callable[[], int]:
    """Import all that a command may need, and return what the console script calls."""
    for module in walk_packages(gitcto.__path__, "gitcto."):
        name = module.name
        if not name.startswith(_NOT_HERE) and name.rpartition(".")[2] not in _PROGRAMS:
            import_module(name)
    for plugin in entry_points(group="gitcto"):
        package = import_module(plugin.module.partition(".")[0])
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    [script] = entry_points(group="console_scripts", name="git-cto")
    main: Callable[[], int] = script.load()
    return main


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One call of ``git cto`` with ``words``, in a directory, with a whole environment.

    ``until`` is a file at whose appearance the process is killed from outside.
    """

    main: Callable[[], int]
    words: tuple[str, ...]
    directory: Path
    environ: Mapping[str, str]
    scratch: Path
    until: Path | None = None

    def run(self, death: Death = Death(), *, watched: bool = False) -> Ended:
        """Run it to its end or its death; ``watched`` remembers the moments it came to."""
        began = time.monotonic()
        before = os.times()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be(Heard(death, began), watched=watched or bool(death.passing))
        status = _wait(pid, began + DEADLINE_S, self.until)
        after = os.times()
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        told = _lines(self.scratch / "moments")
        recovered = float(told[0]) if told and told[0] else None
        return Ended(
            code=os.waitstatus_to_exitcode(status),
            said="\n".join(_lines(self.scratch / "said")),
            wall_s=time.monotonic() - began,
            cpu_s=cpu,
            moments=tuple(told[1:]),
            recovered_s=recovered,
        )

    def _be(self, heard: Heard, *, watched: bool) -> NoReturn:
        code = _FAILED
        try:
            code = self._main(heard, watched=watched)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else _FAILED
        except BaseException:  # noqa: BLE001 - nothing may leave this process but its end
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _main(self, heard: Heard, *, watched: bool) -> int:
        os.chdir(self.directory)
        os.environ.clear()
        os.environ.update(self.environ)
        (self.scratch / "moments").unlink(missing_ok=True)
        said = os.open(self.scratch / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.close(said)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["git-cto", *self.words]
        if watched:
            listen(heard)
        code = self.main()
        if watched:
            moments = list(heard.moments)
            recovered = "" if heard.recovered_s is None else str(heard.recovered_s)
            (self.scratch / "moments").write_text("\n".join([recovered, *moments]))
        return code


class Along(Enum):
    """Which processes die with the command: none, those that watch over workers, or all of them."""

    NONE = "none"
    SUPERVISORS = "supervisors"
    ALL = "all"


def kill_along(along: Along) -> None:
    """Kill descendants of this process, which is a subreaper."""
    if along is Along.ALL:
        kill_the_rest()
    elif along is Along.SUPERVISORS:
        for pid in descendants():
            if _SUPERVISOR in _command_of(pid):
                _kill(pid)
        reap()


def kill_the_rest() -> None:
    """Kill every descendant of this process, and what they start meanwhile."""
    while children := descendants():
        for pid in children:
            _kill(pid)
        reap()
        time.sleep(_POLL_S)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def await_the_rest() -> tuple[float, list[str]]:
    """Wait until no descendant of this process is left.

    Returns how long that took (seconds), and the commands that are still there after
    :data:`GONE_S`.
    """
    began = time.monotonic()
    while True:
        reap()
        left = descendants()
        waited = time.monotonic() - began
        if not left or waited > GONE_S:
            return waited, [_command_of(pid) for pid in left]
        time.sleep(_POLL_S)


def descendants() -> list[int]:
    """Return the processes that this one is an ancestor of, zombies left out."""
    me, rows = os.getpid(), processes.census()
    parents = {pid: row.parent for pid, row in rows.items()}
    found = []
    for pid, row in rows.items():
        above = parents.get(pid, 0)
        while above not in {0, 1, me}:
            above = parents.get(above, 0)
        if above == me and not row.zombie:
            found.append(pid)
    return found


def reap() -> None:
    """Take note of children that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _wait(pid: int, deadline: float, until: Path | None) -> int:
    """Wait for a child; kill it at its deadline, or when a file is there."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() > deadline or (until is not None and until.exists()):
            os.kill(pid, signal.SIGKILL)
            return os.waitpid(pid, 0)[1]
        time.sleep(_POLL_S)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []


def _command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            words = file.read().split(b"\0")
    except OSError:
        return str(pid)
    return f"{pid} {b' '.join(words).decode(errors='replace').strip()[:200]}"
