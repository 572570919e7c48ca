"""The system calls that a worker in its own namespaces could still reach other things with.

Namespaces hide neither the kernel's key rings, which a process inherits from its user's session,
nor address families that belong to no network namespace (``AF_VSOCK`` reaches the host of a virtual
machine). The filter answers as a kernel does that lacks them, so that programs fall back.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_X32 = 0x40000000
_IO_URING = (425, 426, 427)
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK


class _Machine(NamedTuple):
    """A machine's AUDIT_ARCH, its number of ``socket`` and the numbers that are not there."""

    arch: int
    socket: int
    absent: tuple[int, ...]


# add_key, request_key, keyctl; perf_event_open, bpf and userfaultfd look at more than a worker
# should where the machine allows them; io_uring does what this filter would not see.
_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, (248, 249, 250, 298, 321, 323, *_IO_URING)),
    "aarch64": _Machine(0xC00000B7, 198, (217, 218, 219, 241, 280, 282, *_IO_URING)),
}


def program() -> bytes:
    """Return the filter for this machine as the kernel takes it; empty for an unknown machine."""
    machine = _MACHINES.get(os.uname().machine)
    return _assemble(machine) if machine else b""


def _assemble(machine: _Machine) -> bytes:
    enosys, eafnosupport = (_ERRNO | number for number in (errno.ENOSYS, errno.EAFNOSUPPORT))
    lines = [  # operation, operand, where to go on when it holds and when not
        (_LOAD, _ARCH, "next", "next"),
        (_EQUAL, machine.arch, "next", "absent"),
        (_LOAD, _NUMBER, "next", "next"),
        (_AT_LEAST, _X32, "absent", "next"),
        *((_EQUAL, number, "absent", "next") for number in machine.absent),
        (_EQUAL, machine.socket, "next", "allow"),
        (_LOAD, _FIRST_ARGUMENT, "next", "next"),
        *((_EQUAL, family, "allow", "next") for family in _FAMILIES),
        (_RETURN, eafnosupport, "next", "next"),
        (_RETURN, _ALLOW, "next", "next"),
        (_RETURN, enosys, "next", "next"),
    ]
    place = {"allow": len(lines) - 2, "absent": len(lines) - 1}
    packed = (
        struct.pack(
            "=HBBI", code, *(place.get(to, at + 1) - at - 1 for to in (holds, not_)), operand
        )
        for at, (code, operand, holds, not_) in enumerate(lines)
    )
    return b"".join(packed)
