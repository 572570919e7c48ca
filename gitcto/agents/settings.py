"""The table of an agent provider in ``policy.toml``, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEYS = ("model", "base_url", "key_env", "program")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What policy says of an agent CLI.

    ``model`` is the model's name (empty: the CLI's own choice), ``base_url`` where it is asked
    (empty: the vendor), ``key_env`` the name of the variable of git-cto's environment that holds
    the key, ``program`` the CLI's name or absolute path. ``who`` begins what an error says.
    """

    who: str
    program: str
    model: str = ""
    base_url: str = ""
    key_env: str = ""

    def key(self, host_env: Mapping[str, str]) -> str:
        """Return the key, empty when none is wanted. Raises ``CtoError`` when it is not there."""
        if not self.key_env:
            return ""
        value = host_env.get(self.key_env, "")
        if not value:
            raise self.problem(
                f"the variable {self.key_env}, which holds its key, is not set",
                f"export {self.key_env}, or name another in key_env in policy.toml",
            )
        return value

    def problem(self, message: str, hint: str) -> CtoError:
        """Return an error about this provider's settings."""
        return CtoError(f"{self.who}: {message}", hint, ExitCode.POLICY)


def read_agent_settings(
    table: Mapping[str, object],
    defaults: AgentSettings,
    *,
    also: Iterable[str] = (),
) -> AgentSettings:
    """Return a provider's settings; ``also`` are keys that its plugin reads itself.

    Raises ``CtoError`` (exit 4) for any other key and for a value that cannot be meant.
    """
    takes = (*KEYS, *also)
    for key in table:
        if key not in takes:
            raise defaults.problem(f"unknown key {key!r}", f"it takes {', '.join(takes)}")
    found = {key: _text(table, key, defaults) for key in KEYS if key in table}
    settings = AgentSettings(
        who=defaults.who,
        program=found.get("program", defaults.program),
        model=found.get("model", defaults.model),
        base_url=found.get("base_url", defaults.base_url),
        key_env=found.get("key_env", defaults.key_env),
    )
    _check(settings)
    return settings


def _text(table: Mapping[str, object], key: str, defaults: AgentSettings) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.isprintable():
        raise defaults.problem(f"{key} must be one line of text", f'write {key} = "…"')
    return value


def _check(settings: AgentSettings) -> None:
    if settings.model and not _MODEL.match(settings.model):
        hint = "write the model's name as its provider does"
        raise settings.problem(f"{settings.model!r} cannot name a model", hint)
    if settings.key_env and not _VARIABLE.match(settings.key_env):
        hint = "key_env takes the name of a variable, never the key itself"
        raise settings.problem("key_env does not name a variable", hint)
    if not settings.program or (settings.program[0] != "/" and "/" in settings.program):
        hint = "give its name on PATH, or its absolute path"
        raise settings.problem(f"program {settings.program!r} cannot be looked up", hint)
    if settings.base_url and not _is_url(settings.base_url):
        hint = 'write base_url = "https://host/path", without a name or a query in it'
        raise settings.problem(f"base_url {settings.base_url!r} cannot be used", hint)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return sound and plain and parts.scheme in {"http", "https"} and bool(parts.hostname)
