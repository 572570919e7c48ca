"""Blocks of network ports: each execution has one to itself, on this machine and for this user.

A block is a file in the registry that names the place of its execution. When that place is gone,
the block is free again, whoever was killed. Blocks in which another program listens are left out.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 100
"""How far apart blocks begin: as many ports as policy can ask for at most."""

BASES = range(20_000, 32_700, BLOCK)
"""Where blocks begin: below the ports that systems hand out by themselves."""

_LOCK = "lock"
_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class Ports:
    """``count`` ports from ``base`` on."""

    base: int
    count: int

    def environment(self) -> dict[str, str]:
        """Return the variables by which a worker knows its ports."""
        return {"CTO_PORT_BASE": str(self.base), "CTO_PORT_COUNT": str(self.count)}


def reserve(registry: Path, place: Path, count: int) -> Ports:
    """Return the block of the execution whose directory is ``place``: the one it has, or a new one.

    ``place`` must exist already. Raises ``CtoError`` when no block is free.
    """
    with _locked(registry), storage_errors(f"reserve ports in {registry}"):
        blocks = dict(_blocks(registry))
        for base in (base for base, owner in blocks.items() if owner == place):
            return Ports(base, count)
        for base in BASES:
            taken = base in blocks and blocks[base].exists()
            if not taken and _are_free(base, count):
                _write(registry / str(base), place)
                return Ports(base, count)
    raise CtoError(
        f"all {len(BASES)} blocks of ports are in use",
        f"end programs that listen on ports from {BASES.start} to {BASES[-1] + BLOCK - 1}",
    )


def release(registry: Path, place: Path) -> None:
    """Give back the block of an execution. None is fine. Raises ``CtoError``."""
    if not registry.is_dir():
        return
    with _locked(registry), storage_errors(f"release ports in {registry}"):
        for base, owner in _blocks(registry):
            if owner == place:
                (registry / str(base)).unlink()


@contextlib.contextmanager
def _locked(registry: Path) -> Iterator[None]:
    with exclusive(registry / _LOCK):
        yield


def _blocks(registry: Path) -> Iterator[tuple[int, Path]]:
    for file in sorted(registry.iterdir()):
        if file.name.isdigit():
            text = file.read_text(errors="surrogateescape")
            yield int(file.name), Path(text)


def _write(file: Path, place: Path) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(str(place), errors="surrogateescape")
    fresh.replace(file)


def _are_free(base: int, count: int) -> bool:
    return all(_is_free(port) for port in range(base, base + count))


def _is_free(port: int) -> bool:
    """Tell whether nobody listens on a port, whatever the address."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
        except OSError as error:
            if error.errno not in _NO_SUCH_FAMILY:
                return False
    return True
