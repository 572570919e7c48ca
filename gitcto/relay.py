"""Carries bytes between two sockets until both sides are done.

The proxy is a process without site-packages, so: standard library only, nothing of ours.
"""

from __future__ import annotations

import contextlib
import socket
from threading import Thread

_CHUNK = 1 << 16


class _Pair:
    """What the two directions know of each other: how often anything was carried."""

    moved = 0


def relay(one: socket.socket, other: socket.socket, idle_s: float) -> None:
    """Carry bytes both ways until both sides have ended, or nothing moved for ``idle_s`` seconds.

    A side that only stopped sending (a half-closed connection) still receives. Closes both.
    """
    pair = _Pair()
    with one, other:
        one.settimeout(idle_s)
        other.settimeout(idle_s)
        back = Thread(target=_carry, args=(other, one, pair), daemon=True)
        back.start()
        _carry(one, other, pair)
        back.join()


def _carry(source: socket.socket, sink: socket.socket, pair: _Pair) -> None:
    try:
        while data := _received(source, pair):
            sink.sendall(data)
            pair.moved += 1
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # gone, or idle for too long: then the other direction must not wait either
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _received(source: socket.socket, pair: _Pair) -> bytes:
    while True:
        before = pair.moved
        try:
            return source.recv(_CHUNK)
        except TimeoutError:
            if pair.moved == before:
                raise
