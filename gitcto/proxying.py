"""A proxy that lets through what policy names, and nothing else: HTTP ``CONNECT`` and plain HTTP.

A name is resolved once, here, and the connection goes to the very address that was checked, so that
no second answer of a name server counts. Addresses that are not public (loopback, private,
link-local) are reached only when policy names them by number as well.
"""
# Runs without site-packages, see runtime/worker/supervisor.py; its own process, with no Effects:
# ruff: noqa: PTH108, PTH119, PTH120

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


def serve(path: str, destinations: tuple[str, ...]) -> None:
    """Listen on the unix socket ``path``, say so by one byte on standard output, and never return.

    It ends when the process that started it is gone. Raises ``OSError`` when it cannot listen.
    """
    parent = os.getppid()
    listener = _listen(path)
    os.write(1, b"+")
    free, log = BoundedSemaphore(MAX_CONNECTIONS), Log()
    allowed = frozenset(destination.lower() for destination in destinations)
    while os.getppid() == parent:
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        if not free.acquire(blocking=False):
            _answer(client, "503 Service Unavailable", "too many connections at once")
            client.close()
            continue
        Thread(target=_handle, args=(client, allowed, free, log), daemon=True).start()


def _listen(path: str) -> socket.socket:
    os.chdir(os.path.dirname(path) or ".")  # the name of a socket has room for 107 bytes
    name = os.path.basename(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name)
    os.umask(0o177)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen(MAX_CONNECTIONS)
    listener.settimeout(ORPHANED_S)
    return listener


def _handle(
    client: socket.socket, allowed: Container[str], free: BoundedSemaphore, log: Log
) -> None:
    try:
        with client:
            client.settimeout(HEAD_S)
            try:
                head, rest = _head(client)
                host, port, greeting = _request(head)
                server = _connect(host, port, allowed)
            except Refused as refused:
                log.tell(str(refused))
                _answer(client, refused.status, str(refused))
                return
            with server:
                if not greeting:
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                server.sendall(greeting + rest)
                relay(client, server, IDLE_S)
    except OSError:
        pass  # the client is gone
    finally:
        free.release()


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
