"""Reading one TOML table strictly: every problem is noted, and reading goes on."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from gitcto.policy.lines import Path
from gitcto.policy.records import Scalar, Setting

_SHOWN = 60
_BARE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_KINDS: dict[type, str] = {
    bool: "a boolean",
    str: "a string",
    int: "a whole number",
    float: "a decimal number",
    list: "a list",
    dict: "a table",
}


class Finding(NamedTuple):
    """A problem, and the path of the key it is about."""

    path: Path
    message: str


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return ``, did you mean "…"?`` when a known word is near, else an empty string."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"?' if near else ""


def shown(value: object) -> str:
    """Return a value for a message: quoted, escaped, not longer than a line can bear."""
    text = ascii(value).replace("'", '"') if isinstance(value, str) else ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class Table:
    """One table of the document. What is never asked for is an unknown key at :meth:`close`."""

    def __init__(self, values: Mapping[str, object], path: Path, findings: list[Finding]) -> None:
        self._values = values
        self._asked: list[str] = []
        self.path = path
        self.findings = findings

    def report(self, message: str, *keys: str) -> None:
        """Note a problem with this table, or with a key in it."""
        names = (part if _BARE.match(part) else shown(part) for part in self.path)
        section = f"[{'.'.join(names)}] " if self.path else ""
        self.findings.append(Finding((*self.path, *keys), f"{section}{message}"))

    def whole(self, key: str, default: int, limits: range) -> int:
        """Return a whole number within ``limits``."""
        value = self._ask(key, None)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.report(f'"{key}" must be a whole number, not {_kind(value)}', key)
        elif value not in limits:
            span = f"{limits.start} to {limits.stop - 1}"
            self.report(f'"{key}" must be {span}, not {shown(value)}', key)
        else:
            return value
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self._ask(key, None)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.report(f'"{key}" must be true or false, not {_kind(value)}', key)
        return default

    def text(self, key: str, default: str, check: Callable[[str], str]) -> str:
        """Return a string; ``check`` gives what is wrong with it, or an empty string."""
        value = self._ask(key, None)
        if value is None:
            return default
        if not isinstance(value, str):
            self.report(f'"{key}" must be a string, not {_kind(value)}', key)
            return default
        complaint = check(value)
        if complaint:
            self.report(f'"{key}": {complaint}', key)
            return default
        return value

    def texts(
        self, key: str, default: tuple[str, ...], check: Callable[[str], str]
    ) -> tuple[str, ...]:
        """Return a list of distinct strings as a tuple."""
        value = self._ask(key, None)
        if value is None:
            return default
        if not isinstance(value, list):
            self.report(f'"{key}" must be a list of strings, not {_kind(value)}', key)
            return default
        good: list[str] = []
        for item in value:
            if not isinstance(item, str):
                self.report(f'"{key}" must hold strings only, not {_kind(item)}', key)
                continue
            complaint = "it is named twice" if item in good else check(item)
            if complaint:
                self.report(f'"{key}": {shown(item)}: {complaint}', key)
            else:
                good.append(item)
        return tuple(good)

    def raw(self, key: str) -> object:
        """Return a value whose shape the caller checks; None when absent."""
        return self._ask(key, None)

    def table(self, key: str) -> Table:
        """Return a table in this one; empty when absent."""
        value = self._ask(key, {})
        if not isinstance(value, dict):
            self.report(f'"{key}" must be a table, written [{key}], not {_kind(value)}', key)
            value = {}
        return Table(value, (*self.path, key), self.findings)

    def names(self) -> tuple[str, ...]:
        """Return the names of everything in this table."""
        return tuple(self._values)

    def lacks(self, key: str) -> bool:
        """Tell whether a key is not there."""
        return key not in self._values

    def settings(self) -> Mapping[str, Setting]:
        """Return every key not asked for so far, frozen: what a plugin gets as its settings."""
        known = tuple(self._asked)
        kept: dict[str, Setting] = {}
        for key in self._values:
            if key in known:
                continue
            near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.75)
            if near:
                self.report(f'unknown key {shown(key)}, did you mean "{near[0]}"?', key)
                continue
            value = _frozen(self._ask(key, None))
            if value is None:
                allowed = "a string, number, boolean, a list of these, or one table of these"
                self.report(f"{shown(key)} must be {allowed}", key)
            else:
                kept[key] = value
        return MappingProxyType(kept)

    def close(self) -> None:
        """Report the keys that nothing asked for."""
        for key, value in self._values.items():
            if key in self._asked:
                continue
            what = "section" if isinstance(value, dict) and not self.path else "key"
            self.report(f"unknown {what} {shown(key)}{suggestion(key, self._asked)}", key)

    def _ask(self, key: str, default: object) -> object:
        self._asked.append(key)
        return self._values.get(key, default)


def _frozen(value: object) -> Setting | None:
    if isinstance(value, dict):
        items = {str(k): _scalar(v) for k, v in value.items()}
        pairs = {key: item for key, item in items.items() if item is not None}
        return pairs if len(pairs) == len(items) else None
    if isinstance(value, list):
        parts = [_scalar(item) for item in value]
        kept = tuple(part for part in parts if part is not None)
        return kept if len(kept) == len(parts) else None
    return _scalar(value)


def _scalar(value: object) -> Scalar | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) else None


def _kind(value: object) -> str:
    for kind, words in _KINDS.items():
        if isinstance(value, kind):
            return words
    return "a date or time"
