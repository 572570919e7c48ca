"""The provider's table in ``policy.toml``, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = ("argv", "env", "pass_env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``argv`` and the values of ``env`` are templates; ``pass_env`` names variables to hand on."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    pass_env: tuple[str, ...]


def read(table: Mapping[str, object]) -> Settings:
    """Return the settings; raises ``CtoError`` (exit 4) for anything unknown or of another type."""
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {', '.join(_KEYS)}")
    argv = _texts(table.get("argv", ()), "argv")
    if not argv or not argv[0]:
        raise _bad("argv is empty", 'write the command as a list: argv = ["my-agent", "--yes"]')
    env = table.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise _bad("env must be a table of strings", 'write env = { NAME = "value" }')
    pass_env = _texts(table.get("pass_env", ()), "pass_env")
    for name in (*env, *pass_env):
        if not _VARIABLE.match(name):
            raise _bad(f"{name!r} cannot name a variable", "use letters, digits and _")
    return Settings(argv=argv, env=env, pass_env=pass_env)


def _texts(value: object, key: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise _bad(f"{key} must be a list of strings", f'write {key} = ["…", "…"]')
    return tuple(value)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"provider command: {message}", hint, ExitCode.POLICY)
