"""A proxy that lets through what policy names, and nothing else: HTTP ``CONNECT`` and plain HTTP.

A name is resolved once, here, and the connection goes to the very address that was checked, so that
no second answer of a name server counts. Addresses that are not public (loopback, private,
link-local) are reached only when policy names them by number as well.
"""
# Runs without site-packages, see runtime/worker/supervisor.py; a process of its own.

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
from threading import BoundedSemaphore, Lock, Thread

from gitcto.relay import relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

HEAD_BYTES = 1 << 14
"""Longest head of a request that is read."""

HEAD_S = 30.0
"""How long a client may pause within its head, and a connection may take to stand (seconds)."""

IDLE_S = 900.0
"""When a connection on which nothing moves is closed (seconds)."""

MAX_CONNECTIONS = 64
"""How many connections may be open at once; further ones are told so."""

MAX_DOORS = 64
"""How many listening sockets are taken over in all, from whoever offers some."""

ORPHANED_S = 5.0
"""How often to look whether the supervisor still lives (seconds)."""

REFUSALS_TOLD = 100
"""How many different refusals are logged."""

_HOST = r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]"
_AUTHORITY = re.compile(rf"(?P<host>{_HOST}):(?P<port>[0-9]{{1,5}})")
_PORTS = range(1, 1 << 16)


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """A request that is not let through; the message is one line, ``status`` an HTTP status."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class Log:
    """Says every refusal once, on standard error, up to a bound."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._lock = Lock()

    def tell(self, line: str) -> None:
        """Print a line that was not printed before."""
        with self._lock:
            if line in self._told or len(self._told) >= REFUSALS_TOLD:
                return
            self._told.add(line)
        sys.stderr.write(f"proxy: {line}\n")
        sys.stderr.flush()


class Doors:
    """What a proxy has been given to listen on, and who may go where through it."""

    def __init__(self, destinations: tuple[str, ...]) -> None:
        self._allowed = frozenset(destination.lower() for destination in destinations)
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        self._taken = 0
        self._log = Log()

    def take(self, giver: socket.socket) -> None:
        """Take listening sockets over from a forwarder, and serve on each what it is for."""
        with contextlib.suppress(OSError, ValueError), giver:
            giver.settimeout(ORPHANED_S)
            said, fds, _, _ = socket.recv_fds(giver, HEAD_BYTES, MAX_DOORS)
            doors = [_door(fd) for fd in fds]
            ports = [int(word) for word in said.split(b",")]
            for door, port in zip(doors, ports, strict=True):
                if door and self._taken < MAX_DOORS:
                    self._taken += 1
                    Thread(target=self._serve, args=(door, port), daemon=True).start()

    def _serve(self, door: socket.socket, port: int) -> None:
        """Answer all who come to a door; it leads to a ``port`` of ours, or to who is asked for."""
        with contextlib.suppress(OSError), door:  # what is no listening socket, for one
            while True:
                client, _ = door.accept()
                if self._free.acquire(blocking=False):
                    Thread(target=self._handle, args=(client, port), daemon=True).start()
                    continue
                with client:
                    if not port:
                        _answer(client, "503 Service Unavailable", "too many connections at once")

    def _handle(self, client: socket.socket, port: int) -> None:
        try:
            with client:
                client.settimeout(HEAD_S)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    self._carry(client, port)
                except Refused as refused:
                    self._log.tell(str(refused))
                    if not port:
                        _answer(client, refused.status, str(refused))
        except OSError:
            pass  # the client is gone
        finally:
            self._free.release()

    def _carry(self, client: socket.socket, port: int) -> None:
        """Connect to where a client wants to go, and carry its bytes. Raises ``Refused``."""
        if port:
            relay(client, _connect("127.0.0.1", port, self._allowed), IDLE_S)
            return
        head, rest = _head(client)
        host, port, greeting = _request(head)
        with _connect(host, port, self._allowed) as server:
            if not greeting:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server.sendall(greeting + rest)
            relay(client, server, IDLE_S)


def _door(fd: int) -> socket.socket | None:
    """Return a descriptor that was handed over as a socket; what is none is closed."""
    try:
        return socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        return None


def serve(listening: int, destinations: tuple[str, ...]) -> None:
    """Take what forwarders bring to a unix socket that listens, and serve on it.

    It returns when the process that started this one is gone.
    """
    parent = os.getppid()
    doors = Doors(destinations)
    with socket.socket(fileno=listening) as listener:
        listener.settimeout(ORPHANED_S)
        while os.getppid() == parent:
            with contextlib.suppress(TimeoutError):
                doors.take(listener.accept()[0])


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return the head of a request, and what came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(HEAD_BYTES)
        data += more
        if not more or len(data) > HEAD_BYTES:
            raise Refused("400 Bad Request", "the head of a request is cut short or too long")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _request(head: bytes) -> tuple[str, int, bytes]:
    """Return host and port that are asked for, and what to say there first (plain HTTP only)."""
    first, *fields = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004
        raise Refused("400 Bad Request", "this is not a request to a proxy")
    method, target, version = words
    if method == "CONNECT":
        return *_destination(target), b""
    scheme, _, rest = target.partition("://")
    authority, slash, path = rest.partition("/")
    if scheme.lower() != "http" or "@" in authority:
        raise Refused("400 Bad Request", "only CONNECT and http:// requests are let through")
    host, port = _destination(authority if ":" in authority else f"{authority}:80")
    hop = ("connection:", "proxy-connection:", "proxy-authorization:", "keep-alive:")
    kept = [field for field in fields if not field.lower().startswith(hop)]
    lines = [f"{method} {slash or '/'}{path} {version}", *kept, "Connection: close", "", ""]
    return host, port, "\r\n".join(lines).encode("latin-1")


def _destination(authority: str) -> tuple[str, int]:
    found = _AUTHORITY.fullmatch(authority)
    if not found or int(found["port"]) not in _PORTS:
        raise Refused("400 Bad Request", "a destination must be host:port")
    return found["host"].strip("[]").lower().rstrip("."), int(found["port"])


def _connect(host: str, port: int, allowed: Container[str]) -> socket.socket:
    if not is_allowed(host, port, allowed):
        message = f"{host}:{port} is not in `network` of policy.toml, [sandbox]"
        raise Refused("403 Forbidden by policy", message)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Refused("502 Bad Gateway", f"{host} cannot be resolved: {error}") from error
    fit = [each for each in found if is_fit(str(each[4][0]), port, allowed)]
    if not fit:
        message = f"{host} is {found[0][4][0]}, which is not public: policy must name that as well"
        raise Refused("403 Forbidden by policy", message)
    reason = ""
    for family, kind, protocol, _, address in fit:
        server = socket.socket(family, kind, protocol)
        try:
            server.settimeout(HEAD_S)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.connect(address)
        except OSError as error:
            server.close()
            reason = str(error)
        else:
            return server
    raise Refused("502 Bad Gateway", f"{host}:{port} cannot be reached: {reason}")


def is_allowed(host: str, port: int, allowed: Container[str]) -> bool:
    """Tell whether policy names a destination, itself or by a ``*.`` that covers it.

    ``*.example.com`` covers names at any depth below ``example.com``, never numbers.
    """
    if f"{host}:{port}" in allowed:
        return True
    if _is_number(host):
        return False
    labels = host.split(".")
    return any(f"*.{'.'.join(labels[at:])}:{port}" in allowed for at in range(1, len(labels)))


def _is_number(host: str) -> bool:
    """Tell whether a resolver would take a host for an address in any spelling (``127.1``)."""
    try:
        socket.inet_aton(host)
    except OSError:
        return ":" in host
    return True


def is_fit(address: str, port: int, allowed: Container[str]) -> bool:
    """Tell whether a resolved address may be connected to: a public one, or one that is named."""
    import ipaddress

    if f"{address}:{port}" in allowed:
        return True
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        if number in ipaddress.ip_network("64:ff9b::/96"):
            number = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        else:
            number = number.ipv4_mapped or number.sixtofour or number
    return number.is_global and not number.is_multicast


def _answer(client: socket.socket, status: str, message: str) -> None:
    body = f"git-cto: {message}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(OSError):
        client.sendall(head.encode() + body)
