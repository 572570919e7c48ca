"""What keeps git hermetic: its whole environment, and settings that win over any repository's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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


REMOTE_OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.followTags=false",
    "push.recurseSubmodules=no",
    "submodule.recurse=false",
)

# How a user tells git, ssh and curl who they are and how to reach others.
_OF_THE_USER = re.compile(
    "HOME|PATH|USER|LOGNAME|TMPDIR|XDG_[A-Z_]+|SSH_AUTH_SOCK|SSH_AGENT_PID|SSH_ASKPASS|GIT_ASKPASS"
    "|GIT_SSH|GIT_SSH_COMMAND|GIT_SSH_VARIANT|GIT_SSL_[A-Z_]+|SSL_CERT_(?:FILE|DIR)|CURL_CA_BUNDLE"
    "|GIT_CONFIG_(?:PARAMETERS|GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_[0-9]+|VALUE_[0-9]+)"
    "|(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy|KRB5CCNAME|GNUPGHOME|DBUS_SESSION_BUS_ADDRESS"
)


def remote_environment(program: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a git that talks to another machine for a user.

    The user's own configuration and credentials count; nothing is asked, and only transports that
    run no program of the address's choosing are allowed.
    """
    made = hermetic_environment(program)
    for name in ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        del made[name]
    made |= {"SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
    made |= {name: value for name, value in environ.items() if _OF_THE_USER.fullmatch(name)}
    return {**made, "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}


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
