"""How a CLI is called, as data: argv lists with typed placeholders, in a TOML file of the plugin.

::

    [run]
    argv = [
      "{program:path}", "exec", "-C", "{workspace:path}",
      { when = "session", argv = ["--resume", "{session:id}"] },
      { unless = "edits", argv = ["--read-only"] },
      "--", "{prompt:text}",
    ]

A part with ``when`` is there when that word holds, one with ``unless`` when it does not; the name
of a placeholder holds when its value is not empty. Nothing is ever a shell string; what a
placeholder stands for is one argument or a part of it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gitcto.errors import CtoError, ExitCode
from gitcto.templates import typed_pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_WORD = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some arguments, and when they are there: when ``word`` ``holds``, or always without one."""

    argv: tuple[str, ...]
    word: str = ""
    holds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTemplate:
    """One way to call a CLI; see :func:`read_commands`. ``who`` begins what an error says."""

    who: str
    parts: tuple[_Part, ...]

    def fill(self, values: Mapping[str, str], words: Collection[str] = ()) -> tuple[str, ...]:
        """Return the argv for these values, with the parts whose word holds.

        ``words`` are those that hold besides the names of values that are not empty.

        Raises ``CtoError`` for a placeholder without a value, a value or a word that the template
        has no place for, and a value that is not of its placeholder's type. A ``text`` that would
        become an option is refused, unless it comes after an argument ``--``.
        """
        self._know(values, words)
        holding = {name for name, value in values.items() if value}.union(words)
        argv: list[str] = []
        for part in self.parts:
            if part.word and (part.word in holding) is not part.holds:
                continue
            for argument in part.argv:
                pieces = typed_pieces(argument, who=self.who)
                argv.append("".join(each.filled(values, who=self.who) for each in pieces))
                loose = pieces and pieces[0].kind == "text" and "--" not in argv[:-1]
                if loose and argv[-1].startswith("-"):
                    hint = "begin the task's text with something else than a dash"
                    message = f"{self.who}: {argv[-1][:40]!r} would become an option"
                    raise CtoError(message, hint, ExitCode.POLICY)
        return tuple(argv)

    def _know(self, values: Mapping[str, str], words: Collection[str]) -> None:
        arguments = [argument for part in self.parts for argument in part.argv]
        named = {each.name for text in arguments for each in typed_pieces(text, who=self.who)}
        asked = {part.word for part in self.parts}
        for what, extra in (("value", set(values) - named), ("word", set(words) - asked)):
            if extra:
                hint = "remove it, or give it a place in the template"
                raise self._bad(f"no place for the {what} {min(extra)!r}", hint)

    def _bad(self, message: str, hint: str) -> CtoError:
        return CtoError(f"{self.who}: {message}", hint, ExitCode.INTERNAL)


def read_commands(text: str, *, who: str) -> Mapping[str, CommandTemplate]:
    """Return the templates of a TOML file by the names of its tables.

    Raises ``CtoError`` for a key that is unknown, an argument that is neither text nor a part, and
    a placeholder that is not ``{name:type}`` with a known type.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(who, f"its templates are not TOML: {error}") from error
    found = {}
    for name, table in document.items():
        if not isinstance(table, dict) or set(table) != {"argv"}:
            raise _bad(who, f"template {name!r} must be a table with argv and nothing else")
        parts = tuple(_part(each, f"{who}: {name}") for each in _list(table["argv"], who))
        if not parts:
            raise _bad(who, f"template {name!r} is empty")
        found[name] = CommandTemplate(who=who, parts=parts)
    return found


@cache
def own_commands(package: str, *, who: str) -> Mapping[str, CommandTemplate]:
    """Return the templates in the file ``commands.toml`` of a plugin's package, as above."""
    return read_commands(files(package).joinpath("commands.toml").read_text("utf-8"), who=who)


def _part(entry: Any, who: str) -> _Part:
    if isinstance(entry, str):
        return _Part(argv=_arguments([entry], who))
    if not isinstance(entry, dict) or set(entry) not in ({"when", "argv"}, {"unless", "argv"}):
        raise _bad(who, "a part is a text, or a table with argv and one of when and unless")
    word = entry.get("when", entry.get("unless"))
    if not isinstance(word, str) or not _WORD.match(word):
        raise _bad(who, f"{word!r} is not a word")
    return _Part(argv=_arguments(_list(entry["argv"], who), who), word=word, holds="when" in entry)


def _arguments(entries: list[Any], who: str) -> tuple[str, ...]:
    for entry in entries:
        if not isinstance(entry, str):
            raise _bad(who, f"{entry!r} is no argument: write a text")
        typed_pieces(entry, who=who)
    return tuple(entries)


def _list(value: Any, who: str) -> list[Any]:
    if not isinstance(value, list):
        raise _bad(who, "argv must be a list")
    return value


def _bad(who: str, message: str) -> CtoError:
    return CtoError(f"{who}: {message}", "mend the templates of this plugin", ExitCode.INTERNAL)
