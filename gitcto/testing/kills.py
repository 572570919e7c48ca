"""Killing code before any of its lines: nothing runs afterwards, no ``finally`` either."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType


def kills(action: Callable[[int], object], *files: str | Path) -> Iterator[int]:
    """Run ``action(n)`` again and again, killed before the n-th line of ``files`` that it runs.

    Yields after each kill, for the caller to look at what is left; ends when the action does.
    Raises ``RuntimeError`` when it fails by itself.
    """
    number = 1
    while killed_at(number, partial(action, number), *files):
        yield number
        number += 1


def killed_at(number: int, action: Callable[[], object], *files: str | Path) -> bool:
    """Run an action in a process of its own; tell whether it got to the line that kills it."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of others are not missed
        pid = os.fork()
    if pid == 0:
        _run(number, action, frozenset(map(str, files)))
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError("the action failed before it was killed; see standard error")
    return False


def _run(number: int, action: Callable[[], object], files: frozenset[str]) -> None:
    left = number

    def trace(frame: FrameType, event: str, _value: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    try:
        action()
    except BaseException:  # noqa: BLE001  # nothing may leave this process but its end
        sys.settrace(None)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
