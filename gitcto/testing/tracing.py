"""Running code under ``strace``: what it asks of the kernel, and answers that it did not expect.

The code runs in a forked process. Its main thread, the threads it starts and the git processes it
starts are targets of their own, because ``strace`` counts the calls of each by itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import traceback
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gitcto.errors import CtoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import FrameType

Acknowledge = "Callable[[str], None]"

_PR_SET_PTRACER = 0x59616D61
_LONGEST = 1 << 16
_WRAPPER = """\
#!/bin/sh
read -r turn <{turn}
echo "$((turn + 1))" >{turn}
[ "$turn" -eq {wanted} ] || exec {git} "$@"
{strace} -o {trace} {options} {git} "$@"
code=$?
[ "$code" -ne 137 ] || kill -KILL {victims}
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What is traced: the ``number``-th thread of our own process, or git process of ours.

    Thread 0 is the main one; git processes are counted from 0 in the order they are started.
    """

    kind: Literal["ours", "git"]
    number: int

    def __str__(self) -> str:
        """Return a short name."""
        return f"{self.kind} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the code ended, what it had acknowledged before, and the trace of the target.

    ``refused`` is a ``CtoError``: ``said`` its message, with ``hint`` and ``code``; ``broke``
    any other exception: ``said`` is its traceback. ``threads`` and ``gits`` count what it started.
    """

    how: Literal["done", "refused", "broke", "killed"]
    said: str = ""
    hint: str = ""
    code: int = 0
    acknowledged: tuple[str, ...] = ()
    trace: str = ""
    threads: int = 1
    gits: int = 0


def why_not() -> str:
    """Return why nothing can be traced here, or nothing."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "true"], check=False, capture_output=True)
    return "" if done.returncode == 0 else "strace may not trace processes here"


@dataclass(frozen=True, slots=True)
class Tracer:
    """Runs code with its ``git`` on ``PATH`` replaced; keeps its own files in ``place``."""

    place: Path

    @property
    def path(self) -> str:
        """``PATH`` for the code that is to be traced."""
        return f"{self.place}{os.pathsep}{os.environ['PATH']}"

    def run(
        self,
        action: Callable[[Callable[[str], None]], object],
        target: Target,
        options: Sequence[str],
        *,
        alone: bool = False,
    ) -> Ended:
        """Run ``action`` in a process of its own, its target under ``strace`` with ``options``.

        The action is given a function to acknowledge with. A git process that is killed takes the
        whole action with it, unless it dies ``alone``.
        """
        trace = self.place / "trace"
        trace.write_text("")
        self._wrap(target, options, alone=alone)
        ours, theirs = socket.socketpair()
        with ours:
            pid = _fork(action, ours, theirs, target.number if target.kind == "ours" else -1)
            theirs.close()
            told = _attend(ours, pid, ["-o", str(trace), *options])
            _, status = os.waitpid(pid, 0)
        gits = int((self.place / "turn").read_text())
        text = trace.read_text(errors="surrogateescape")
        if os.WIFSIGNALED(status):
            return Ended(how="killed", acknowledged=told.acknowledged, trace=text, gits=gits)
        return Ended(**told.end, acknowledged=told.acknowledged, trace=text, gits=gits)

    def _wrap(self, target: Target, options: Sequence[str], *, alone: bool) -> None:
        git = shutil.which("git")
        (self.place / "turn").write_text("0\n")
        text = _WRAPPER.format(
            turn=shlex.quote(str(self.place / "turn")),
            wanted=target.number if target.kind == "git" else -1,
            git=shlex.quote(str(git)),
            strace=shlex.quote(str(shutil.which("strace"))),
            trace=shlex.quote(str(self.place / "trace")),
            options=shlex.join(options),
            victims="$$" if alone else "$PPID $$",
        )
        fresh = self.place / "git.new"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.rename(self.place / "git")


@dataclass(frozen=True, slots=True)
class _Told:
    acknowledged: tuple[str, ...]
    end: dict[str, Any]


def _attend(ours: socket.socket, pid: int, options: Sequence[str]) -> _Told:
    """Attach to the thread that asks for it, and collect what is said until the process ends."""
    acknowledged: list[str] = []
    end: dict[str, Any] = {}
    tracer: subprocess.Popen[bytes] | None = None
    with ours.makefile("rb") as lines:
        for line in lines:
            said = json.loads(line)
            if "trace" in said:
                tracer = _attach(said["trace"], options)
                ours.send(b"+")
            elif "acknowledged" in said:
                acknowledged.append(said["acknowledged"])
            else:
                end = said
    if tracer is not None:
        tracer.wait()
        if tracer.stderr is not None:
            tracer.stderr.close()
    del pid
    return _Told(tuple(acknowledged), end)


def _attach(thread: int, options: Sequence[str]) -> subprocess.Popen[bytes]:
    argv = ["strace", "-p", str(thread), *options]
    tracer = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = tracer.stderr.readline() if tracer.stderr else b""
    if b"attached" not in said:
        raise RuntimeError(f"strace could not attach: {said.decode(errors='replace').strip()}")
    return tracer


def _fork(
    action: Callable[[Callable[[str], None]], object],
    ours: socket.socket,
    theirs: socket.socket,
    wanted: int,
) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of others are not missed
        pid = os.fork()
    if pid == 0:
        ours.close()
        _child(action, theirs, wanted)
    return pid


def _child(
    action: Callable[[Callable[[str], None]], object], out: socket.socket, wanted: int
) -> None:
    """Run the action and say how it ended; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gate = _Gate(out, wanted)
    threading.setprofile(gate.on_start)
    try:
        gate.enter()
        action(lambda text: _say(out, {"acknowledged": text}))
        end: dict[str, Any] = {"how": "done"}
    except CtoError as error:
        code = int(error.exit_code)
        end = {"how": "refused", "said": error.message, "hint": error.hint, "code": code}
    except BaseException:  # noqa: BLE001  # nothing may leave this process but its end
        end = {"how": "broke", "said": traceback.format_exc()[-_LONGEST:]}
    _say(out, end | {"threads": gate.entered})
    os._exit(0)


class _Gate:
    """Counts threads as they start, and lets the wanted one wait until it is traced."""

    def __init__(self, out: socket.socket, wanted: int) -> None:
        self._out = out
        self._wanted = wanted
        self.entered = 0

    def on_start(self, frame: FrameType, event: str, value: object) -> None:
        del frame, event, value
        sys.setprofile(None)
        self.enter()

    def enter(self) -> None:
        number, self.entered = self.entered, self.entered + 1
        if number == self._wanted:
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1))  # where Yama asks for it
            _say(self._out, {"trace": threading.get_native_id()})
            self._out.recv(1)


def _say(out: socket.socket, what: dict[str, Any]) -> None:
    out.sendall(json.dumps(what).encode() + b"\n")


_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$", re.MULTILINE)


def calls(trace: str) -> list[tuple[str, str]]:
    """Return name and arguments (with the result) of each call of a trace, in order."""
    return [(found[1], found[2]) for found in _CALL.finditer(trace)]
