"""Turning the signals that ask for an end into a question the loop can ask."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible(first: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether somebody asked for the end.

    ``first`` is called at the first signal. The second one interrupts at once: nothing is lost by
    that either, the next run finds out how things stand.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        first()

    before = {number: signal.signal(number, ask) for number in _ASKING}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
