"""Where the CLIs are installed that the tests drive: ``.agents``, made by scripts/agents."""

from __future__ import annotations

from pathlib import Path

AGENTS = Path(__file__).resolve().parents[2] / ".agents"


def native(pattern: str) -> Path:
    """Return the one program that a pattern finds; a path that is not there when none is."""
    return next(iter(sorted(AGENTS.glob(pattern))), AGENTS / pattern)
