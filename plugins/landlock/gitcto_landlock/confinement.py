"""The launcher's work: hold this process to its rules, then become the worker.

A rule is a letter, a colon and a value: ``w:<directory>`` to write in, ``r:<path>`` to read,
``d:<device>`` to use, ``t:<variable>`` to reach the port that an environment variable ends with.
"""
# No pathlib, see launcher:
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import errno
import os
import stat
import sys

from gitcto_landlock import kernel
from gitcto_landlock.sockets import socket_filter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_FOUND = 127
NOT_EXECUTABLE = 126

_RIGHTS = {"w": kernel.WRITE, "r": kernel.READ, "d": kernel.DEVICE}
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})
_OUTPUTS = (1, 2)


def become(rules: Sequence[str], argv: list[str]) -> int:
    """Become the program ``argv``; return 126 or 127, as a shell does, when that cannot be done."""
    try:
        environment = _environment()
        _confine(rules, environment)
    except OSError as error:
        return _failed(NOT_EXECUTABLE, argv[0], error)
    try:
        _execute(argv, environment)
    except OSError as error:
        return _failed(NOT_FOUND if error.errno in _GONE else NOT_EXECUTABLE, argv[0], error)
    return NOT_FOUND


def _confine(rules: Sequence[str], environment: dict[bytes, bytes]) -> None:
    ruleset = kernel.Ruleset()
    tcp = False
    for rule in rules:
        kind, _, value = rule.partition(":")
        if kind == "t":
            ruleset.allow_connect(int(environment[value.encode()].rpartition(b":")[2]))
            tcp = True
        else:
            _allow(ruleset, kind, value)
    for fd in _OUTPUTS:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            ruleset.allow(fd, kernel.OUTPUT)
    kernel.give_up_privileges()
    ruleset.enforce()
    unix = kernel.abi() >= kernel.UNIX_SOCKETS_ABI
    kernel.install_filter(socket_filter(os.uname().machine, unix=unix, tcp=tcp))


def _allow(ruleset: kernel.Ruleset, kind: str, path: str) -> None:
    """Add one path. Links are not followed: what a link became meanwhile would be allowed too."""
    only = os.O_DIRECTORY if kind == "w" else 0
    try:
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC | only)
    except OSError:
        if kind == "w":
            raise
        return  # went away, or is out of this user's reach anyway
    try:
        ruleset.allow(fd, _RIGHTS[kind])
    finally:
        os.close(fd)


def _environment() -> dict[bytes, bytes]:
    """Return what this process was started with; Python itself may have added LC_CTYPE since."""
    with open("/proc/self/environ", "rb") as file:
        entries = file.read().split(b"\0")
    pairs = (entry.partition(b"=") for entry in entries if entry)
    return {name: value for name, _, value in pairs}


def _execute(argv: list[str], environment: dict[bytes, bytes]) -> None:
    """Execute the program, looking for it as ``execvp`` does; raises ``OSError``."""
    name = os.fsencode(argv[0])
    if b"/" in name:
        os.execve(name, argv, environment)  # noqa: S606  (an argv, no shell: the point)
    failure: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for directory in environment.get(b"PATH", os.fsencode(os.defpath)).split(b":"):
        try:
            os.execve(os.path.join(directory, name), argv, environment)  # noqa: S606
        except OSError as error:
            failure = failure if error.errno in _GONE else error
    raise failure


def _failed(code: int, program: str, error: OSError) -> int:
    what = f"{error.filename!r}: " if error.filename else ""
    sys.stderr.write(f"git-cto: cannot start {program!r}: {what}{error.strerror}\n")
    return code
