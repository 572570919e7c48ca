"""The worker's own process between fork and exec."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

NOT_FOUND = 127
NOT_EXECUTABLE = 126


class Child:
    """A forked worker that waits for ``release`` before it becomes its program.

    ``outputs`` are the files of stdout and stderr (the same one twice merges them). When this
    process dies first, the child ends without having become anything.
    """

    def __init__(self, launch: dict[str, Any], outputs: tuple[str, str]) -> None:
        held, self._gate = os.pipe()
        self._failure, report = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate)
            _become(launch, outputs, held, report)
        os.close(held)
        os.close(report)

    def release(self) -> None:
        """Let the child become its program."""
        with contextlib.suppress(BrokenPipeError):  # killed meanwhile; its status will say so
            os.write(self._gate, b"+")
        os.close(self._gate)

    def failure(self) -> tuple[int, str] | None:
        """Return exit code and reason when the program could not be started; after the end only."""
        os.set_blocking(self._failure, False)
        try:
            text = os.read(self._failure, 4096).decode()
        except BlockingIOError:
            return None
        if not text:
            return None
        number, what = text.split(" ", 1)
        missing = int(number) in {errno.ENOENT, errno.ENOTDIR} and what.startswith("program")
        reason = f"cannot start: {what}: {os.strerror(int(number))}"
        return NOT_FOUND if missing else NOT_EXECUTABLE, reason


def _become(launch: dict[str, Any], outputs: tuple[str, str], held: int, report: int) -> NoReturn:
    what = "session"
    try:
        plain_signals()
        os.setsid()
        if os.read(held, 1) != b"+":
            os._exit(NOT_EXECUTABLE)
        what = "output"
        _redirect(outputs)
        what = "limits"
        _limit(launch["limits"]["file_bytes"])
        what = f"working directory {launch['cwd']!r}"
        os.chdir(launch["cwd"])
        what = "program ''"
        argv: list[str] = launch["argv"]
        what = f"program {argv[0]!r}"
        os.execvpe(argv[0], argv, launch["env"])  # noqa: S606  (an argv, no shell: the point)
    except OSError as error:
        os.write(report, f"{error.errno} {what}".encode(errors="replace")[:4096])
    except (ValueError, IndexError):  # an empty argv, a NUL in it, an "=" in a variable's name
        os.write(report, f"{errno.EINVAL} {what}".encode(errors="replace")[:4096])
    finally:
        os._exit(NOT_EXECUTABLE)


def _limit(file_bytes: int | None) -> None:
    """Set what the kernel enforces in each process alone; a limit that is lower already stays."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if file_bytes is None:
        return
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = file_bytes if most == resource.RLIM_INFINITY else min(file_bytes, most)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def plain_signals() -> None:
    """Undo in this process what its supervisor did with signals, and what that inherited."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is not signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _redirect(outputs: tuple[str, str]) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)
    for target, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), target)
