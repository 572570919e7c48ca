"""What the provider tells its driver: one JSON file in the scratch directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An MCP server over stdio for the agent."""

    name: str
    command: str
    args: list[str]
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of an agent.

    ``session`` is one to go on with; ``mode`` the agent's session mode and ``auth`` its way to log
    in, each empty for its own choice. ``told`` are the letters that the prompt holds already.
    """

    argv: list[str]
    workspace: str
    prompt_file: str
    edits: bool
    session: str = ""
    mode: str = ""
    auth: str = ""
    told: list[int] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)

    def text(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_job(path: Path) -> Job:
    """Read a job; raises ``OSError``, ``ValueError`` and ``TypeError`` for one that is not ours."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    servers = [Server(**each) for each in told.pop("servers")]
    return Job(**told, servers=servers)
