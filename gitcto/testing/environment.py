"""The environment tests run git and git-cto in: nothing of this machine or its user."""

from __future__ import annotations

import os
import sysconfig
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FIRST_DATE = 1_700_000_000
"""Seconds since the epoch of the first commit a test makes; each command is a second later."""

_IDENTITY = {
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
}
# Background maintenance would race with the removal of the test's directory.
_CONFIG = {
    "commit.gpgsign": "false",
    "core.fsmonitor": "false",
    "gc.auto": "0",
    "init.defaultBranch": "main",
    "maintenance.auto": "false",
}
_DEAD = "http://127.0.0.1:9"


def hermetic(home: Path) -> dict[str, str]:
    """Return a whole environment: ``PATH`` is kept, everything else is set or absent.

    The scripts of this Python come first on ``PATH``, no global or system git configuration is
    read, nobody is asked for anything, and proxies point at a port where nothing listens.
    """
    environment = {
        **_IDENTITY,
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_CONFIG_COUNT": str(len(_CONFIG)),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EDITOR": "false",
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", ""))),
        "PYTHONHASHSEED": "0",
        "TMPDIR": str(home / "tmp"),
        "TZ": "UTC",
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".state"),
    }
    for number, (key, value) in enumerate(_CONFIG.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        environment[name] = _DEAD
    return environment
