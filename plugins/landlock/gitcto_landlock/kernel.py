"""What the sandbox asks of the Linux kernel: Landlock rules, and no capabilities.

The numbers are those of ``linux/landlock.h``. This module is loaded at the start of every worker,
without site-packages: it imports little.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct

LEAST_ABI = 3
"""The first Landlock that can keep a file from being truncated (Linux 6.2)."""

PORTS_ABI = 4
"""The first Landlock that knows TCP ports (Linux 6.7)."""

UNIX_SOCKETS_ABI = 9
"""The first Landlock that keeps a worker from the unix sockets of others (Linux 7.1)."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP, _FILTER, _STEP_BYTES = 22, 2, 8
_CAPABILITY_VERSION_3 = 0x20080522

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_REFER, _TRUNCATE, _IOCTL_DEV, _RESOLVE_UNIX = 1 << 13, 1 << 14, 1 << 15, 1 << 16
_FIRST_ABI = (1 << 13) - 1
_SINCE = {1: _FIRST_ABI, 2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV, UNIX_SOCKETS_ABI: _RESOLVE_UNIX}
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV | _RESOLVE_UNIX

READ = _EXECUTE | _READ_FILE | _READ_DIR
"""Read and execute files, and list directories."""

DEVICE = _READ_FILE | _WRITE_FILE | _IOCTL_DEV
"""Use a device."""

OUTPUT = _READ_FILE | _WRITE_FILE | _TRUNCATE
"""Open one's own standard output once more, as ``/dev/stdout`` does."""

WRITE = (_FIRST_ABI | _REFER | _TRUNCATE) & ~(_MAKE_CHAR | _MAKE_BLOCK)
"""Everything below a directory, except making devices: with one, root could write to a disk."""

_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
_SCOPES_ABI = 6

_libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """Return the version of Landlock that the kernel speaks; ``OSError`` when it speaks none."""
    return _call("landlock", _libc.syscall(_CREATE_RULESET, None, 0, _VERSION))


class Ruleset:
    """What the process that calls :meth:`enforce` may still do, and all that descend from it.

    Nothing is allowed that was not added. Methods raise ``OSError``.
    """

    def __init__(self) -> None:
        version = abi()
        self._handled = 0
        for since, rights in _SINCE.items():
            self._handled |= rights if version >= since else 0
        network = _BIND_TCP | _CONNECT_TCP if version >= PORTS_ABI else 0
        scopes = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if version >= _SCOPES_ABI else 0
        handled = struct.pack("=QQQ", self._handled, network, scopes)
        self._fd = _call("landlock", _libc.syscall(_CREATE_RULESET, handled, len(handled), 0))

    def allow(self, fd: int, rights: int) -> None:
        """Allow ``rights`` on the open file ``fd``, and below it when it is a directory."""
        rights &= self._handled
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _OF_FILES
        if rights:
            rule = struct.pack("=Qi", rights, fd)
            _call("landlock", _libc.syscall(_ADD_RULE, self._fd, _PATH_BENEATH, rule, 0))

    def allow_connect(self, port: int) -> None:
        """Allow TCP connections to ``port`` of any host: Landlock does not look at the host."""
        rule = struct.pack("=QQ", _CONNECT_TCP, port)
        _call("landlock", _libc.syscall(_ADD_RULE, self._fd, _NET_PORT, rule, 0))

    def enforce(self) -> None:
        """Hold this process to the rules. Nothing can loosen them."""
        _call("landlock", _libc.syscall(_RESTRICT_SELF, self._fd, 0))
        os.close(self._fd)


def give_up_privileges() -> None:
    """Drop all capabilities, also root's, and never gain any by executing a program."""
    _call("no_new_privs", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _call("capset", _libc.capset(header, bytes(24)))


def install_filter(program: bytes) -> None:
    """Let a seccomp program judge each system call; privileges must have been given up."""
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HP", len(program) // _STEP_BYTES, ctypes.addressof(code))
    _call("seccomp", _libc.prctl(_PR_SET_SECCOMP, _FILTER, described, 0, 0))


def has_filters() -> bool:
    """Tell whether the kernel can filter system calls."""
    _libc.prctl(_PR_SET_SECCOMP, _FILTER, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT  # it got as far as to look for the program


def _call(what: str, answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return answer
