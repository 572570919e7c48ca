"""A filter of system calls that leaves a worker no sockets but those Landlock can judge.

Of the network Landlock judges TCP and nothing else: UDP, and TCP by way of MPTCP, would pass; and
most kernels' Landlock does not judge unix sockets, behind which a Docker daemon or an ssh agent may
wait. The filter is a program for the kernel's seccomp machine; see ``linux/filter.h`` and
``linux/seccomp.h``.
"""

from __future__ import annotations

import errno
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MACHINES: Mapping[str, tuple[int, int]] = {
    "x86_64": (0xC000003E, 41),
    "aarch64": (0xC00000B7, 198),
    "riscv64": (0xC00000F3, 198),
}
"""What is known of each processor: how the kernel names it, and its number of ``socket``."""

_IO_URING_SETUP = 425  # makes sockets past any filter
_OTHER_NUMBERING = 0x40000000  # x32: the same calls once more, under other numbers
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM, _TYPE, _TCP = 1, 0xF, 6

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, (16, 24, 32)  # offsets in struct seccomp_data

_ENDS = {
    "allow": 0x7FFF0000,
    "refuse": 0x00050000 | errno.EACCES,
    "absent": 0x00050000 | errno.ENOSYS,
    "kill": 0x80000000,
}
_Step = tuple[int, int, str, str]


def socket_filter(machine: str, *, unix: bool, tcp: bool) -> bytes:
    """Return the program for a ``machine`` of :data:`MACHINES`.

    It leaves connected pairs, netlink sockets, and where wanted ``unix`` and plain ``tcp`` ones; no
    other socket can be made, nor io_uring be used. A program for another kind of processor (32 bit)
    is killed.
    """
    audit, socket = MACHINES[machine]
    family: list[_Step] = [(_EQUAL, _NETLINK, "allow", "")]
    if unix:
        family += [(_EQUAL, _UNIX, "allow", "")]
    if tcp:
        family += [(_EQUAL, _INET, "stream", ""), (_EQUAL, _INET6, "stream", "")]
    return _assembled(
        {
            "": (
                (_LOAD, _MACHINE, "", ""),
                (_EQUAL, audit, "", "kill"),
                (_LOAD, _NUMBER, "", ""),
                (_AT_LEAST, _OTHER_NUMBERING, "absent", ""),
                (_EQUAL, _IO_URING_SETUP, "absent", ""),
                (_EQUAL, socket, "", "allow"),
                (_LOAD, _ARGUMENTS[0], "", ""),
                *family,
                (_RETURN, _ENDS["refuse"], "", ""),
            ),
            "stream": (
                (_LOAD, _ARGUMENTS[1], "", ""),
                (_AND, _TYPE, "", ""),
                (_EQUAL, _STREAM, "", "refuse"),
                (_LOAD, _ARGUMENTS[2], "", ""),
                (_EQUAL, 0, "allow", ""),
                (_EQUAL, _TCP, "allow", "refuse"),
            ),
            **{name: ((_RETURN, value, "", ""),) for name, value in _ENDS.items()},
        }
    )


def _assembled(parts: Mapping[str, Sequence[_Step]]) -> bytes:
    """Return the parts one after another; an empty label means the next step."""
    starts, position = {}, 0
    for name, steps in parts.items():
        starts[name] = position
        position += len(steps)
    code = []
    for position, (operation, value, yes, no) in enumerate(
        step for steps in parts.values() for step in steps
    ):
        jumps = [starts[label] - position - 1 if label else 0 for label in (yes, no)]
        code.append(struct.pack("=HBBI", operation, *jumps, value))
    return b"".join(code)
