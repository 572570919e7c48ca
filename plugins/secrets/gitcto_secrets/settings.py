"""The gate's table in ``policy.toml``, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import CANNOT_RUN, CtoError, ExitCode, fill_template

if TYPE_CHECKING:
    from collections.abc import Mapping

WHO = "gate secrets"
_KEYS = ("allow", "argv", "found_codes")
_PLACEHOLDERS = ("added", "patch", "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``argv`` is the template of a scanner's command; without one, our own formats are used."""

    argv: tuple[str, ...]
    found_codes: tuple[int, ...]
    allow: tuple[str, ...]

    @property
    def reports(self) -> bool:
        """Whether the scanner is told where to write a report."""
        return any("{report}" in word for word in self.argv)


def read(table: Mapping[str, object]) -> Settings:
    """Return the settings; raises ``CtoError`` (exit 4) for what cannot be meant."""
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {', '.join(_KEYS)}")
    argv = _texts(table, "argv", 'argv = ["my-scanner", "{added}"]')
    codes = table.get("found_codes", ())
    if not isinstance(codes, list | tuple) or not all(type(each) is int for each in codes):
        raise _bad("found_codes must be a list of numbers", "write found_codes = [1]")
    for code in (0, *CANNOT_RUN):
        if code in codes:
            raise _bad(f"found_codes holds {code}, which cannot mean that", "take it out")
    settings = Settings(
        argv=argv,
        found_codes=tuple(codes),
        allow=_texts(table, "allow", 'allow = ["tests/fixtures/**"]'),
    )
    if argv and not argv[0]:
        raise _bad("argv names no program", 'write argv = ["my-scanner", "{added}"]')
    if argv and not codes and not settings.reports:
        hint = "write found_codes = [1], or let it write SARIF to {report}"
        raise _bad("nothing says how the scanner tells of a secret", hint)
    if codes and not argv:
        raise _bad("found_codes without argv", "name the scanner's command, or leave both out")
    known = dict.fromkeys(_PLACEHOLDERS, "")
    for word in argv:
        fill_template(word, known, who=WHO)
    return settings


def _texts(table: Mapping[str, object], key: str, example: str) -> tuple[str, ...]:
    value = table.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise _bad(f"{key} must be a list of strings", f"write {example}")
    return tuple(value)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"{WHO}: {message}", hint, ExitCode.POLICY)
