"""The surroundings of an agent's CLI: a home of its own for each execution, and a short list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.backends import search_path
from gitcto.git.durable import storage_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.provider_contracts import LaunchRequest

PASSED = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "TZ")
"""The variables that a CLI gets from git-cto's own environment."""

PROMPT_BYTES = 100_000
"""Longest prompt that is handed over as an argument; Linux takes 128 KiB at most."""

_XDG = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}


def agent_home(request: LaunchRequest) -> Path:
    """Return the home directory of an execution, made if need be. Raises ``CtoError``.

    Its temporary directory lies beside it, never around it: codex, for one, refuses a home below
    the temporary directory.
    """
    for part in ("home", "tmp"):
        with storage_errors(f"use {request.scratch / part}"):
            (request.scratch / part).mkdir(parents=True, exist_ok=True)
    return request.scratch / "home"


def agent_environment(request: LaunchRequest, own: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a CLI: what every one gets, and its ``own`` variables.

    Nothing else of git-cto's environment is in it; its key is whatever ``own`` gives it.
    """
    home = agent_home(request)
    env = {name: request.host_env[name] for name in PASSED if name in request.host_env}
    env |= {"PATH": search_path(request.host_env)} if "PATH" in env else {}
    env |= {"HOME": str(home), "TMPDIR": str(request.scratch / "tmp")}
    env |= {name: str(home / place) for name, place in _XDG.items()}
    env |= {
        "CTO_ATTEMPT": str(request.attempt),
        "CTO_EXECUTION": request.execution,
        "CTO_TASK": request.task.id,
    }
    return env | dict(own)


def write_private(path: Path, text: str) -> None:
    """Write a file of a CLI's configuration that nobody else reads. Raises ``CtoError``."""
    with storage_errors(f"write {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def prompt_text(request: LaunchRequest) -> str:
    """Return the prompt, or where to read it when it is too long for an argument."""
    with storage_errors(f"read {request.prompt_file}"):
        data = request.prompt_file.read_bytes()
    if len(data) <= PROMPT_BYTES:
        return data.decode("utf-8", "replace").replace("\0", "?")
    return f"Your task is described in the file {request.prompt_file}. Read all of it, then do it."
