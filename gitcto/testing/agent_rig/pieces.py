"""What the rig takes from git-cto as it is installed, and how it waits."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from gitcto.contracts import Probe
from gitcto.plugins import Plugins
from gitcto.runtime.host.ask import ask
from gitcto.runtime.worker import workers
from gitcto.testing.agent_rig.agent_cli import NotHere

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENCE_S = 120.0
"""How long the rig waits for something that has to happen."""

ASK_S = 60.0


@cache
def installed() -> Plugins:
    """Return what is installed for this Python, loaded once."""
    return Plugins.load()


def own_network(url: str) -> tuple[str, ...]:
    """Return the destination of a model server's URL, as policy would name it."""
    return (url.split("/")[2],)


def await_file(path: Path, run_dir: Path) -> None:
    """Wait until a file is there. Raises ``AssertionError`` when the run ends before."""
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert workers.observe(run_dir).exit is None, f"it ended before {path.name} was there"
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.02)


def strict(env: Mapping[str, str]) -> Any:
    """Return the sandbox. Raises ``NotHere`` where it cannot work."""
    sandbox = found(installed().sandboxes(), "strict", "sandbox")
    probe: Probe = answered(ask(installed(), sandbox, "available", env, deadline_s=ASK_S))
    if not probe.available:
        raise NotHere(f"sandbox strict: {probe.hint}")
    return sandbox


def found(register: Mapping[str, Any], name: str, kind: str) -> Any:
    """Return what a plugin offers under a name. Raises ``NotHere``."""
    if name not in register:
        raise NotHere(f"no plugin offers {kind} {name}")
    return register[name]


def answered(answer: Any) -> Any:
    """Return what a plugin answered. Raises ``CtoError`` when it did not."""
    if hasattr(answer, "error"):
        raise answer.error()
    return answer
