"""Where a process can die: its named steps, and each moment before it changes something durable.

Nothing in the product has to offer these moments, so none can be forgotten. The interpreter itself
raises an audit event before it renames, links, unlinks or opens a file for writing, makes or
removes a directory, or starts a program; ``Effects.crash_point`` raises one for each named step.
A hook in the process that is to die hears them all. A step ends where the next one begins, so that
"killed before each" is "killed after each". Two things raise no event: SQLite's commit, which two
named steps stand around, and a program that was started and goes on, for which ``… running`` is a
moment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from gitcto.effects import CRASH_POINT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

RUNNING = " running"
"""What the name of a moment ends with at which a program has been started and lives."""

DOORS = (
    "gitcto.containment",
    "gitcto.git.",
    "gitcto.runtime.workspace.copies",
    "gitcto.runtime.workspace.pool",
    "gitcto.runtime.workspace.rooms.",
    "gitcto.runtime.worker.run_files",
    "gitcto.runtime.workspace.trash",
    "gitcto.runtime.worker.worker_records",
    "gitcto.runtime.worker.workers",
    "gitcto.store.",
)
"""Modules that carry steps out for others; a moment is named for who asked them."""

_VERBS = {
    "os.chmod": "chmod",
    "os.link": "link",
    "os.mkdir": "mkdir",
    "os.remove": "unlink",
    "os.rename": "rename",
    "os.rmdir": "rmdir",
    "os.symlink": "symlink",
    "os.truncate": "truncate",
    "os.utime": "utime",
}
_OPENING = 3
"""How many arguments ``open`` has: none of them is a directory to look from."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_LOOKS = frozenset(
    {
        "cat-file",
        "check-attr",
        "check-ignore",
        "config",
        "diff",
        "diff-files",
        "diff-tree",
        "for-each-ref",
        "fsck",
        "log",
        "ls-files",
        "ls-remote",
        "ls-tree",
        "merge-base",
        "patch-id",
        "rev-list",
        "rev-parse",
        "show",
        "show-ref",
        "status",
        "var",
        "version",
    }
)
"""Commands of git that change nothing: killed before one is killed after the step before it."""

_LOOKS_OF = frozenset({("remote", "get-url"), ("worktree", "list")})


def listen(heard: Callable[[str], None]) -> None:
    """Tell ``heard`` each moment of this process by name, from now on and for good.

    It is called in the thread that comes to the moment, before anything happens.
    """

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _HEARD:
            return
        what = _what(event, arguments)
        if what:
            name = what if event == CRASH_POINT else f"{_whose(sys._getframe(1))}: {what}"  # noqa: SLF001
            heard(name)

    _mark_running(heard)
    sys.addaudithook(hook)


_HEARD = frozenset({CRASH_POINT, "open", "subprocess.Popen", *_VERBS})


def _what(event: str, arguments: tuple[Any, ...]) -> str:
    """Return what is about to be done, or nothing when it changes nothing durable."""
    if event == CRASH_POINT:
        return str(arguments[0])
    if event == "subprocess.Popen":
        return _program(arguments[1])
    if event == "open" and isinstance(arguments[0], int):
        return ""  # a pipe, or a file that is open already
    there = _is_there(arguments)
    if event == "open":
        flags = arguments[2]
        return "write" if flags & _WRITES and (flags & os.O_TRUNC or not there) else ""
    idle = (event == "os.mkdir" and there) or (event == "os.remove" and not there)
    return "" if idle else _VERBS[event]


def _is_there(arguments: tuple[Any, ...]) -> bool:
    """Tell whether the path of an event exists; files that are no path on a disk always do."""
    path = arguments[0]
    if isinstance(path, int):
        return True
    at = arguments[-1] if isinstance(arguments[-1], int) and arguments[-1] >= 0 else None
    try:
        os.lstat(path, dir_fd=at if len(arguments) != _OPENING else None)
    except OSError:
        return False
    return True


def _program(argv: object) -> str:
    """Return ``git COMMAND``, or the name of another program or script; nothing for a look."""
    words = [os.fsdecode(word) for word in argv] if isinstance(argv, list | tuple) else [str(argv)]
    name = os.path.basename(words[0])  # noqa: PTH119 - a hook is no place for imports
    if name != "git":
        scripts = [os.path.basename(word) for word in words if word.endswith(".py")]  # noqa: PTH119
        return f"start {scripts[0] if scripts else name}"
    rest = iter(words[1:])
    for word in rest:
        if word in {"-c", "-C"}:
            next(rest, "")
        elif not word.startswith("-"):
            looks = word in _LOOKS or (word, next(rest, "")) in _LOOKS_OF
            return "" if looks else f"git {word}"
    return ""


def _whose(frame: FrameType | None) -> str:
    """Return who asks for a step, and which door carries it out if that is somebody else."""
    door = ""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("gitcto"):
            here = f"{module}.".removeprefix("gitcto.") + frame.f_code.co_qualname
            if not f"{module}.".startswith(DOORS):
                return f"{here} > {door}" if door else here
            door = door or here
        frame = frame.f_back
    return door or "python"


def _mark_running(heard: Callable[[str], None]) -> None:
    """Tell of each program just after it was started, too."""
    start: Any = subprocess._fork_exec  # type: ignore[attr-defined]  # noqa: SLF001

    def started(argv: Any, *rest: Any) -> Any:
        pid = start(argv, *rest)
        what = _program(argv)
        if what:
            heard(f"{_whose(sys._getframe(1))}: {what}{RUNNING}")  # noqa: SLF001
        return pid

    subprocess._fork_exec = started  # type: ignore[attr-defined]  # noqa: SLF001
