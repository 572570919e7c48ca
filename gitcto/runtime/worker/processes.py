"""Which processes exist, which belong to a worker, and how to end exactly those.

A process is named by its pid *and* its start, so that a recycled pid is never signalled: on Linux
the start is boot id and field 22 of ``/proc/<pid>/stat``, elsewhere what ``ps -o lstart`` says.
On Linux the signal itself goes through a pidfd, which leaves no moment between look and kill.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

LINUX = sys.platform.startswith("linux")
PAGE = os.sysconf("SC_PAGE_SIZE")
PR_SET_CHILD_SUBREAPER = 36
PR_SET_PDEATHSIG = 1


class Process:
    """A row of the process table; ``cpu`` is the time used by it and its reaped children.

    ``resident`` is its memory in bytes, pages that it shares with others included.
    """

    __slots__ = (
        "cpu",
        "group",
        "parent",
        "pid",
        "resident",
        "session",
        "start",
        "threads",
        "zombie",
    )

    def __init__(  # noqa: PLR0913  (a row has as many columns)
        self,
        *,
        pid: int,
        parent: int,
        group: int,
        session: int,
        start: str,
        cpu: str,
        resident: int = 0,
        threads: int = 1,
        zombie: bool = False,
    ) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        self.session = session
        self.start = start
        self.cpu = cpu
        self.resident = resident
        self.threads = threads
        self.zombie = zombie


def become_subreaper() -> bool:
    """Make every orphaned descendant a child of this process; False where that cannot be."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def take_precedence() -> None:
    """Be scheduled before ordinary processes where that is allowed (to root); children are not.

    Among the thousands of a fork bomb even reading the process table would take seconds otherwise.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except (OSError, AttributeError):
        return


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when the thread of ``parent`` that forked it ends.

    Exits at once when that has happened already. Does nothing where the kernel cannot.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _prctl(option: int, value: int) -> bool:
    if not LINUX:
        return False
    try:
        import ctypes

        return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0)) == 0
    except (ImportError, OSError, AttributeError):
        return False


def start_of(pid: int) -> str | None:
    """Return what tells this process from a later one with its pid; None when it is gone."""
    found = _read_proc(pid, _boot_id()) if LINUX else _ps(["-p", str(pid)]).get(pid)
    return found.start if found and not found.zombie else None


def census() -> dict[int, Process]:
    """Return all processes, zombies included: each takes a place in the process table."""
    if not LINUX:
        return _ps(["-ax"])
    boot = _boot_id()
    rows = (_read_proc(int(name), boot) for name in os.listdir("/proc") if name.isdigit())
    return {row.pid: row for row in rows if row}


def table() -> dict[int, Process]:
    """Return all processes that are not zombies."""
    return {pid: row for pid, row in census().items() if not row.zombie}


def last_pid() -> int | None:
    """Return the pid given out last, to a process or a thread; None where nobody says."""
    try:
        with open("/proc/loadavg", "rb") as file:
            return int(file.read().split()[4])
    except OSError:
        return None


def newest_children(count: int) -> set[int]:
    """Return those of the ``count`` newest pids of the system that are children of this process.

    A look at a few names in ``/proc`` takes a twentieth of what the whole table takes, so that a
    process that forks and exits without end can be caught before its next fork. A child of ours
    keeps its pid until we reap it: signalling it by number is safe. Threads of children are told
    too, and go when they like.
    """
    last = last_pid() or 1
    rows = (_read_proc(pid, "") for pid in range(last, max(1, last - count), -1))
    return {row.pid for row in rows if row and not row.zombie and row.parent == os.getpid()}


def descendants(roots: Container[int], processes: Mapping[int, Process]) -> dict[int, Process]:
    """Return the children, grandchildren, ... of ``roots`` (the roots themselves not)."""
    found: dict[int, Process] = {}
    grew = True
    while grew:
        grew = False
        for pid, row in processes.items():
            if pid not in found and (row.parent in roots or row.parent in found):
                found[pid] = row
                grew = True
    return found


def marked(entry: bytes, processes: Iterable[int]) -> set[int]:
    """Return the processes whose environment held ``entry`` (``NAME=value``) when they started.

    Processes of other users are never among them. Empty where there is no ``/proc``.
    """
    return {pid for pid, shown in environments(processes).items() if entry in shown}


def environments(processes: Iterable[int]) -> dict[int, list[bytes]]:
    """Return what each process shows as its environment when it started.

    Empty for other users' processes; one empty entry for who has none, or is amid an ``exec``.
    """
    return {pid: _environment(pid) for pid in processes}


def share_of_memory(process: Process) -> int:
    """Return a process's memory in bytes, pages that it shares counted in parts (PSS).

    Takes milliseconds for each GiB. Where it cannot be had, what is ``resident``.
    """
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return process.resident


def is_in_namespace(pid: int) -> bool:
    """Tell whether a process lives in a PID namespace below this process's own."""
    return _namespaces(pid) > _namespaces(os.getpid())


def send(process: Process, number: int) -> bool:
    """Signal exactly this process; False when it is gone, recycled or not ours to signal."""
    try:
        if LINUX and hasattr(os, "pidfd_open"):
            handle = os.pidfd_open(process.pid)
            try:
                if start_of(process.pid) != process.start:
                    return False
                signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)
        elif start_of(process.pid) == process.start:
            os.kill(process.pid, number)
        else:
            return False
    except OSError:
        return False
    return True


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def _namespaces(pid: int) -> int:
    """Return in how many PID namespaces a process has a pid that we can see."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith(b"NSpid:"):
                    return len(line.split()) - 1
    except OSError:
        pass
    return 0


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _read_proc(pid: int, boot: str) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # the name may hold blanks and brackets
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        start=f"{boot}:{int(fields[19])}",
        cpu=b" ".join(fields[11:15]).decode(),
        resident=int(fields[21]) * PAGE,
        threads=int(fields[17]),
        # a first thread that has ended looks like a zombie while the others run on
        zombie=fields[0] in {b"Z", b"X"} and int(fields[17]) <= 1,
    )


def _ps(selection: list[str]) -> dict[int, Process]:
    import subprocess

    columns = "pid=,ppid=,pgid=,sess=,stat=,time=,rss=,lstart="
    done = subprocess.run(
        ["ps", *selection, "-o", columns], capture_output=True, text=True, check=False
    )
    rows: dict[int, Process] = {}
    for line in done.stdout.splitlines():
        pid, parent, group, session, state, cpu, resident, start = line.split(None, 7)
        rows[int(pid)] = Process(
            pid=int(pid),
            parent=int(parent),
            group=int(group),
            session=int(session, 16),
            start=" ".join(start.split()),
            cpu=cpu,
            resident=int(resident) * 1024,
            zombie=state.startswith("Z"),
        )
    return rows
