"""Lets a program without a network reach a proxy: ``forwarder.py <socket> <ports> <argv>``.

It runs inside the sandbox, with ``python -I -S``, and starts the program itself. On a loopback port
it hands every connection on to the proxy's unix socket; the program learns of it from the usual
variables. On each of ``ports`` (numbers with commas between them, or ``-``) it hands connections on
through the proxy to the same port of the machine's own loopback: to the program, what listens there
outside seems to listen inside. Signals are the program's own affair (a supervisor sends them to
every process), its end is this one's end.
"""
# Runs without site-packages at every sandboxed start, see runtime/worker/supervisor.py:
# ruff: noqa: PTH100, PTH120, PTH123

from __future__ import annotations

import contextlib
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator, Sequence

IDLE_S = 1800.0
"""When a connection on which nothing moves is closed (seconds); the proxy is the stricter one."""

MAX_CONNECTIONS = 64
"""How many connections may be open at once; more wait for their turn."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_DIRECT = ("NO_PROXY", "no_proxy")
_HERE = "localhost,127.0.0.1,::1"
_FROM_PYTHON = (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)


def forwarded(
    argv: Sequence[str], socket: str | os.PathLike[str], ports: Iterable[int] = ()
) -> tuple[str, ...]:
    """Return ``argv`` under a forwarder to the proxy at ``socket``, as both are seen inside.

    ``ports`` are those of the machine's loopback that are offered inside as well, which only works
    in a network of its own. The forwarder sets ``HTTP_PROXY`` and its kin for the program, with a
    loopback port that is free where it runs, and ends as the program ends: with its exit code, or
    by its signal. A sandbox must let it read git-cto and its Python, which the core always asks
    for.
    """
    listed = ",".join(map(str, ports)) or "-"
    return (sys.executable, "-I", "-S", __file__, os.fspath(socket), listed, *argv)


def main() -> None:
    """Start the program and serve it until it ends."""
    path, ports, *argv = sys.argv[1:]
    import socket

    own = list(_offered(port for port in ports.split(",") if port != "-"))
    listener = socket.create_server(("127.0.0.1", 0), backlog=MAX_CONNECTIONS)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # ends with the program, not before it
    child = os.fork()
    if child == 0:
        _become(argv, address)
    for each, greeting in ((listener, b""), *own):
        _serve(each, path, greeting)
    _end_like(os.waitpid(child, 0)[1])


def _offered(ports: Iterable[str]) -> Iterator[tuple[socket.socket, bytes]]:
    """Listen on ports, and yield what a proxy is to be told first for a connection to each."""
    import socket

    for port in ports:
        greeting = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode()
        try:
            yield socket.create_server(("127.0.0.1", int(port))), greeting
        except OSError as error:
            message = f"git-cto: 127.0.0.1:{port} cannot be offered inside: {error.strerror}"
            print(message, file=sys.stderr, flush=True)  # noqa: T201


def _become(argv: list[str], address: str) -> None:
    environ = _given()
    for name in _PROXIES:
        environ[name] = environ[name.lower()] = address
    environ |= dict.fromkeys(_DIRECT, _HERE)
    for number in _FROM_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    code = 126
    try:
        os.execvpe(argv[0], argv, environ)  # noqa: S606  (an argv, no shell: the point)
    except FileNotFoundError:
        code = 127
        print(f"cannot start program {argv[0]!r}: no such file", file=sys.stderr)  # noqa: T201
    except OSError as error:
        print(f"cannot start program {argv[0]!r}: {error.strerror}", file=sys.stderr)  # noqa: T201
    finally:
        sys.stderr.flush()
        os._exit(code)


def _given() -> dict[str, str]:
    """Return the environment that this program was given: Python adds a locale to an empty one."""
    environ = dict(os.environ)
    with contextlib.suppress(OSError), open("/proc/self/environ", "rb") as file:
        if not any(entry.startswith(b"LC_CTYPE=") for entry in file.read().split(b"\0")):
            environ.pop("LC_CTYPE", None)
    return environ


def _serve(listener: socket.socket, path: str, greeting: bytes) -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.append(os.path.dirname(here))
    from threading import BoundedSemaphore, Thread

    free = BoundedSemaphore(MAX_CONNECTIONS)

    def accept() -> None:
        while True:
            free.acquire()
            client, _ = listener.accept()
            Thread(target=carry, args=(client,), daemon=True).start()

    def carry(client: socket.socket) -> None:
        import socket

        from gitcto.relay import relay

        with contextlib.suppress(OSError), client, socket.socket(socket.AF_UNIX) as proxy:
            proxy.connect(path)  # without one, the program sees its connection close
            if _greeted(proxy, greeting):
                relay(client, proxy, IDLE_S)
        free.release()

    Thread(target=accept, daemon=True).start()


def _greeted(proxy: socket.socket, greeting: bytes) -> bool:
    """Tell the proxy where to go, if that is for us to do, and return whether it goes there."""
    if not greeting:
        return True
    proxy.sendall(greeting)
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # not a byte more: what follows is the program's
        byte = proxy.recv(1)
        if not byte:
            return False
        head += byte
    return head.split(b" ", 2)[1:2] == [b"200"]


def _end_like(status: int) -> None:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main()
