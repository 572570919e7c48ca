"""Lets the kernel keep programs in their rooms, with Landlock and seccomp."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import Confined, CtoError, Probe, forwarded
from gitcto_landlock.grants import closed_to_others, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.api import ConfineRequest

_LAUNCHER = Path(__file__).with_name("launcher.py")
_DEVICES = ("full", "null", "random", "urandom", "zero")
_WHY = {
    errno.ENOSYS: "the kernel has no Landlock; Linux 6.2 or later has it",
    errno.EOPNOTSUPP: "Landlock is switched off; add landlock to the kernel's parameter lsm=",
    errno.EPERM: "Landlock is forbidden here, by a container's seccomp profile for example",
}


class Landlock:
    """Confines writes, reads and sockets of a program and of all that it starts."""

    def available(self, host_env: Mapping[str, str]) -> Probe:
        """Tell which Landlock the kernel speaks, or why it is not enough."""
        del host_env
        if not sys.platform.startswith("linux"):
            return Probe(available=False, hint="Landlock is part of Linux; macOS has seatbelt")
        from gitcto_landlock import kernel, sockets

        try:
            abi = kernel.abi()
        except OSError as error:
            return Probe(available=False, hint=_WHY.get(error.errno or 0, str(error)))
        if abi < kernel.LEAST_ABI:
            hint = f"ABI {abi} of Landlock cannot stop truncation; Linux 6.2 or later can"
            return Probe(available=False, version=f"ABI {abi}", hint=hint)
        machine = os.uname().machine
        if machine not in sockets.MACHINES or not kernel.has_filters():
            hint = f"sockets cannot be filtered with seccomp on this {machine} kernel"
            return Probe(available=False, version=f"ABI {abi}", hint=hint)
        return Probe(available=True, version=f"ABI {abi}")

    def confine(self, request: ConfineRequest) -> Confined:
        """Return the program behind a launcher that confines itself and becomes it.

        Raises ``CtoError`` for a ``proxy`` that this kernel cannot hold the program to.
        """
        rules = [*_rules(request)]
        if request.proxy is not None:
            _require_ports()
            rules.append("t:HTTP_PROXY")
        launcher = (sys.executable, "-I", "-S", "-X", "utf8", str(_LAUNCHER))
        argv = (*launcher, *rules, "--", *request.argv)
        if request.proxy is not None:
            argv = forwarded(argv, _from(request.cwd, request.proxy))
        return Confined(argv=argv, env=request.env)


def _require_ports() -> None:
    from gitcto_landlock import kernel

    found = kernel.abi()
    if found < kernel.PORTS_ABI:
        raise CtoError(
            f"ABI {found} of Landlock cannot hold a worker to its proxy",
            "use Linux 6.7 or later, or take `network` out of policy.toml, [sandbox]",
        )


def _from(directory: Path, socket: Path) -> str:
    """Return the way to a socket from where the program starts: absolute, it may be too long."""
    return os.path.relpath(socket.resolve(), directory.resolve())


def _rules(request: ConfineRequest) -> Iterator[str]:
    hides = [path.resolve() for path in (*request.hides, request.run_dir)]
    if os.geteuid() == 0:
        hides += closed_to_others(Path("/etc"))
    reads = (path.resolve() for path in request.reads)
    yield from (f"r:{path}" for path in readable(hides, reads, request.tools()))
    yield from (f"w:{path.parent.resolve() / path.name}" for path in request.writes)
    yield from (f"d:/dev/{name}" for name in _DEVICES)
