"""Where each key of a TOML text stands. Used only to say a line number when something is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping

Path = tuple[str, ...]
"""A key's place in a document: tables, then the key."""

_OPENERS = {"[": 1, "{": 1, "]": -1, "}": -1}


def line_index(text: str) -> Mapping[Path, int]:
    """Return the line (from 1) of every table header and key of a *valid* TOML text.

    The n-th element of an array of tables is found under ``(name, str(n))``, counted from 0.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, statement in _statements(text):
        if statement.startswith("["):
            table = _header(statement, counts)
            path = table
        else:
            path = (*table, *_key(_before_equals(statement)))
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], number)
        found[path] = number
    return found


def line_of(index: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path, or of the nearest table around it; 1 when there is none."""
    for length in range(len(path), 0, -1):
        if path[:length] in index:
            return index[path[:length]]
    return 1


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each header or assignment with the line it begins on; values are cut off."""
    position, number = 0, 1
    while position < len(text):
        end = _end_of_statement(text, position)
        statement = text[position:end]
        stripped = statement.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped
        number += statement.count("\n") + 1
        position = end + 1


def _end_of_statement(text: str, position: int) -> int:
    """Return where the newline stands that ends the statement which begins at ``position``."""
    depth = 0
    while position < len(text):
        character = text[position]
        if character == "\n" and depth == 0:
            return position
        if character == "#":
            position = _newline(text, position)
            continue
        if character in "\"'":
            position = _end_of_string(text, position)
            continue
        depth += _OPENERS.get(character, 0)
        position += 1
    return len(text)


def _newline(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found


def _end_of_string(text: str, position: int) -> int:
    quote = text[position]
    mark = quote * 3 if text.startswith(quote * 3, position) else quote
    position += len(mark)
    while position < len(text):
        if quote == '"' and text[position] == "\\":
            position += 2
        elif text.startswith(mark, position):
            position += len(mark)
            # a multi-line string may end with up to two more quotes of its own
            while len(mark) > 1 and text.startswith(quote, position):
                position += 1
            return position
        else:
            position += 1
    return len(text)


def _header(statement: str, counts: dict[Path, int]) -> Path:
    array = statement.startswith("[[")
    path: Path = ()
    parts = _key(statement[2 if array else 1 :])
    for depth, part in enumerate(parts, 1):
        path = (*path, part)
        if array and depth == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, str(counts[path]))
    return path


def _before_equals(statement: str) -> str:
    position = 0
    while position < len(statement) and statement[position] != "=":
        if statement[position] in "\"'":
            position = _end_of_string(statement, position)
        else:
            position += 1
    return statement[:position]


def _key(text: str) -> Path:
    """Split a dotted key, up to a closing bracket if there is one."""
    parts: list[str] = []
    position, start = 0, 0
    while position <= len(text):
        character = text[position] if position < len(text) else "]"
        if character in "\"'":
            position = _end_of_string(text, position)
            continue
        if character in ".]":
            parts.append(_unquote(text[start:position].strip()))
            start = position + 1
        if character == "]":
            break
        position += 1
    return tuple(parts)


def _unquote(part: str) -> str:
    if part[:1] not in ('"', "'"):
        return part
    return str(tomllib.loads(f"k = {part}")["k"])
