"""Globs over repository paths, as in git's ``:(glob)`` pathspecs.

``*``, ``?`` and ``[…]`` match within one folder, ``**`` matches across folders, and a pattern that
names a folder covers everything below it.
"""

from __future__ import annotations

import re
from functools import lru_cache


def covers(pattern: str, path: str) -> bool:
    """Tell whether ``path`` is what ``pattern`` describes, or lies below it."""
    return _compiled(pattern).match(path) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    body = pattern.removeprefix("./").rstrip("/")
    if body in ("", "."):
        return re.compile(r".*\Z", re.DOTALL)
    return re.compile(_translated(body) + r"(?:/.*)?\Z", re.DOTALL)


_TOKEN = re.compile(
    r"(?P<deep>(?<![^/])\*\*/)|(?P<all>\*\*)|(?P<star>\*)|(?P<one>\?)"
    r"|(?P<set>\[!?\]?[^\]/]*\])|(?P<char>.)",
    re.DOTALL,
)


def _translated(pattern: str) -> str:
    parts = []
    for match in _TOKEN.finditer(pattern):
        kind, text = match.lastgroup, match[0]
        if kind == "set":
            inner = text[1:-1]
            negated = "^/" if inner.startswith("!") else ""
            inner = inner.removeprefix("!").replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{negated}{_escaped(inner)}]")
        else:
            fixed = {"deep": "(?:[^/]+/)*", "all": ".*", "star": "[^/]*", "one": "[^/]"}
            parts.append(fixed.get(kind or "", re.escape(text)))
    return "".join(parts)


def _escaped(inner: str) -> str:
    """Escape what a regular expression's set reads differently than a glob's."""
    return re.sub(r"[\]^&~|]|-(?=-)", lambda match: "\\" + match[0], inner)
