"""What keeps git hermetic: its whole environment, and settings that win over any repository's."""

from __future__ import annotations

import os
from pathlib import Path

DURABLE = "committed,loose-object,reference"

PLUMBING_OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.alternateRefsCommand=false",
    f"core.fsync={DURABLE}",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
)

TRUSTED_CONFIG = """\
# Written by git-cto; changes are undone. Work of others is handled here, so that no hook, filter
# or driver of theirs can run.
[core]
\trepositoryFormatVersion = {version}
\tbare = true
\tfileMode = true
\tsymlinks = true
\tignoreCase = false
\tautocrlf = false
\tprotectHFS = true
\tprotectNTFS = true
\thooksPath = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tfsync = {durable}
\tfsyncMethod = batch
[gc]
\tauto = 0
[maintenance]
\tauto = false
[diff]
\tignoreSubmodules = all
[submodule]
\trecurse = false
[protocol]
\tallow = never
[advice]
\taddEmbeddedRepo = false
"""


def hermetic_environment(program: str) -> dict[str, str]:
    """Return the whole environment git gets: no home, no user or system configuration."""
    return {
        "PATH": f"{Path(program).parent}{os.pathsep}{os.defpath}",
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_EDITOR": "false",
        "GIT_PAGER": "cat",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        # Not every git knows GIT_NO_LAZY_FETCH; without a protocol nothing is fetched.
        # No protocol.* setting of a repository is stronger than this.
        "GIT_ALLOW_PROTOCOL": "none",
    }
