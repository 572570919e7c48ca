"""What the rig has to know of a CLI: where it is, and how its model calls its tools."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Step = Mapping[str, Any]
"""A step of a scripted model; see :mod:`gitcto.testing.model_server`."""


class NotHere(Exception):  # noqa: N818  (a reason to skip, not an error)
    """A scenario that cannot be played here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Different:
    """Where a CLI differs from what a scenario expects: another end, and why.

    ``faults`` are the classes of error that it may end with instead, "" for a success. Without any
    the scenario cannot be played with it at all.
    """

    why: str
    faults: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCli:
    """A CLI as the rig drives it.

    ``provider`` is what policy calls its plugin; ``package`` the directory of its npm package and
    ``program`` what to start. ``table`` makes its table in policy from a model server's URL.

    ``shell`` makes the step in which its model runs a command, ``edit`` those in which it writes a
    file of the workspace (its absolute path and content), ``call`` the one in which it calls a tool
    of an MCP server (server, tool, arguments), and ``forbidden`` the one in which it uses a tool
    that it is not allowed (the workspace). ``hostile`` writes configuration into a workspace that
    would have it ask the model at a URL and make a file at a path. ``differs`` says by the names of
    scenarios where it does not do as others do. With ``hides_key`` not even ``/proc`` tells its
    key. ``path`` comes first on its ``PATH``; ``wall_s`` is more than it takes to begin its first
    request, on a slow machine.
    """

    provider: str
    package: Path
    program: Path
    table: Callable[[str], Mapping[str, object]]
    shell: Callable[[str], Step]
    edit: Callable[[Path, str], list[Step]]
    call: Callable[[str, str, Mapping[str, Any]], Step]
    forbidden: Callable[[Path], Step]
    hostile: Callable[[Path, str, Path], None]
    differs: Mapping[str, Different] = field(default_factory=dict)
    hides_key: bool = False
    path: tuple[Path, ...] = ()
    wall_s: float = 10.0

    @property
    def version(self) -> str:
        """The version its package tells. Raises ``NotHere`` when it is not installed."""
        manifest = self.package / "package.json"
        if not manifest.exists() or not os.access(self.program, os.X_OK):
            raise NotHere(f"agent CLI {self.provider} not here: scripts/agents installs it")
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
