"""Opens a program's way to a proxy outside its sandbox: ``forwarder.py <socket> <ports> <argv>``.

It runs inside the sandbox, with ``python -I -S``, listens on loopback ports, hands these sockets to
the proxy, which answers on them from outside, and becomes the program: nothing of this stays. One
port is the proxy's own, which the program learns of from the usual variables. Each of ``ports``
(numbers with commas between them, or ``-``) leads to the same port of the machine's own loopback:
to the program, what listens there outside seems to listen inside.
"""
# Runs without site-packages at every sandboxed start, see runtime/worker/supervisor.py:
# ruff: noqa: PTH123

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterable, Iterator, Sequence

BACKLOG = 64
"""How many connections may wait for the proxy on each port."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_DIRECT = ("NO_PROXY", "no_proxy")
_HERE = "localhost,127.0.0.1,::1"


def forwarded(
    argv: Sequence[str], socket: str | os.PathLike[str], ports: Iterable[int] = ()
) -> tuple[str, ...]:
    """Return ``argv`` under a forwarder to the proxy at ``socket``, as both are seen inside.

    ``ports`` are those of the machine's loopback that are offered inside as well, which only works
    in a network of its own. The forwarder sets ``HTTP_PROXY`` and its kin for the program, with a
    loopback port that is free where it runs, and becomes the program. A sandbox must let it read
    git-cto and its Python, which the core always asks for.
    """
    listed = ",".join(map(str, ports)) or "-"
    return (sys.executable, "-I", "-S", __file__, os.fspath(socket), listed, *argv)


def main() -> None:
    """Hand the listening sockets over and become the program."""
    path, ports, *argv = sys.argv[1:]
    doors = dict(_opened(port for port in ports.split(",") if port != "-"))
    own = doors["0"].getsockname()[1]
    try:
        _hand_over(path, doors)
    except OSError as error:  # without a proxy, the program's connections are refused
        _say(f"no proxy at {path}: {error.strerror}")
    _become(argv, f"http://127.0.0.1:{own}")


def _opened(ports: Iterable[str]) -> Iterator[tuple[str, socket]]:
    """Listen on a free port, called 0, and on ``ports``; say which of these cannot be had."""
    from _socket import SO_REUSEADDR, SOL_SOCKET, socket  # by way of socket it takes 8 ms

    for port in ("0", *ports):
        door = socket()
        try:
            door.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", int(port)))
            door.listen(BACKLOG)
        except OSError as error:
            if port == "0":
                raise
            _say(f"127.0.0.1:{port} cannot be offered inside: {error.strerror}")
            continue
        yield port, door


def _hand_over(path: str, doors: dict[str, socket]) -> None:
    """Send the listening sockets, and for each in its turn the port that it leads to."""
    from _socket import AF_UNIX, SCM_RIGHTS, SOL_SOCKET, socket

    fds = b"".join(door.fileno().to_bytes(4, sys.byteorder) for door in doors.values())
    proxy = socket(AF_UNIX)
    proxy.connect(path)
    proxy.sendmsg([",".join(doors).encode()], [(SOL_SOCKET, SCM_RIGHTS, fds)])


def _become(argv: list[str], address: str) -> None:
    import _signal  # type: ignore[import-not-found]  # by way of signal it takes 6 ms

    environ = _given()
    for name in _PROXIES:
        environ[name] = environ[name.lower()] = address
    environ |= dict.fromkeys(_DIRECT, _HERE)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # which Python ignores
        _signal.signal(number, _signal.SIG_DFL)
    code = 126
    try:
        os.execvpe(argv[0], argv, environ)  # noqa: S606  (an argv, no shell: the point)
    except FileNotFoundError:
        code = 127
        _say(f"cannot start program {argv[0]!r}: no such file")
    except OSError as error:
        _say(f"cannot start program {argv[0]!r}: {error.strerror}")
    finally:
        os._exit(code)


def _given() -> dict[str, str]:
    """Return the environment that this program was given: Python adds a locale to an empty one."""
    environ = dict(os.environ)
    try:
        with open("/proc/self/environ", "rb") as file:
            if not any(entry.startswith(b"LC_CTYPE=") for entry in file.read().split(b"\0")):
                environ.pop("LC_CTYPE", None)
    except OSError:
        return environ
    return environ


def _say(message: str) -> None:
    print(f"git-cto: {message}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
