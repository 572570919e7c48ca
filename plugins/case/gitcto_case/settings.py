"""The provider's table in ``policy.toml``, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

WHO = "provider case"
_KEYS = ("argv", "key_env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``argv`` is a template; ``key_env`` names the variable that holds the engine's key."""

    argv: tuple[str, ...]
    key_env: str


def read(table: Mapping[str, object]) -> Settings:
    """Return the settings; raises ``CtoError`` (exit 4) for anything unknown or of another type."""
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {', '.join(_KEYS)}")
    argv, key_env = table.get("argv", ()), table.get("key_env", "")
    if not isinstance(argv, list | tuple) or not all(isinstance(each, str) for each in argv):
        raise _bad("argv must be a list of strings", 'write argv = ["…", "…"]')
    if not argv or not argv[0] or "{" in argv[0]:
        hint = "argv begins with the engine's name on PATH, or its absolute path"
        raise _bad("argv names no program", hint)
    if not isinstance(key_env, str) or (key_env and not _VARIABLE.match(key_env)):
        hint = "key_env takes the name of a variable, never the key itself"
        raise _bad("key_env does not name a variable", hint)
    return Settings(argv=tuple(argv), key_env=key_env)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"{WHO}: {message}", hint, ExitCode.POLICY)
