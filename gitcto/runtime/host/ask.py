"""Ask a plugin's object one question, contained: made, called, and never raising."""

from __future__ import annotations

from typing import Any

from gitcto.containment import Crashed, TimedOut, call_contained
from gitcto.plugins import Plugins
from gitcto.registry import Registered


def ask(
    plugins: Plugins, registered: Registered[Any], method: Any, *args: object, deadline_s: float
) -> Any:
    """Make a registered target and call ``method``; failures come back as values.

    Returns what the contract promises, :class:`Crashed` or :class:`TimedOut`; the caller decides
    what a failure means.
    """
    made = plugins.instantiate(registered)
    if isinstance(made, Crashed | TimedOut):
        return made
    return call_contained(registered, made, method, *args, deadline_s=deadline_s)
