"""What is different between two fingerprints of a repository, and how grave it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.git.working_files import GONE, TRACKED, entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitcto.git.fingerprint import Fingerprint
    from gitcto.git.process import Git

WORDS: Mapping[str, str] = {
    "hook": "hook {}",
    "config": "setting {}",
    "info": "{}",
    "entry": "{}",
    "kept": "kept work {}",
    "room": "the room {}",
    "warm": "the warm tree {}",
    "record": "the process record {}",
    "checkout": "the worktree {}",
    "state": "{}",
    "ref": "{}",
    "index": "the index entry of {}",
    "file": "{}",
    "mode": "the permissions of {}",
    "stamp": "times, owner or attributes of {}",
    "log": "the log {}",
    "home": "{}",
}
"""What a name of each surface is called; the order is the order of gravity."""

GUARDED = frozenset({"hook", "config", "info", "entry", "kept", "room", "warm", "record"})
"""Surfaces that nobody changes in passing, and by which something of the worker's could run."""

_GROWS = frozenset({"kept", "room", "warm", "record"})
"""Surfaces to which git-cto itself adds; only what was there before counts."""

# Everything else is guarded: most settings make git run a program sooner or later, and new ones
# do with every version of git.
_HARMLESS = re.compile(
    r"advice\..*|color\..*|column\..*|log\..*|status\..*|user\.(?:name|email|signingkey)"
    r"|pull\.(?:rebase|ff)|push\.(?:default|autosetupremote|followtags)|rebase\.(?:autostash|stat)"
    r"|branch\..*\.(?:remote|merge|rebase|pushremote|description)"
    r"|remote\..*\.(?:url|pushurl|fetch|push|tagopt|prune|mirror|gh-resolved)"
    r"|submodule\..*\.(?:url|active|branch)"
)


_ADDRESS = re.compile(r"[a-z+]+://.*(?=\.[a-z0-9-]+\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as before; ``before`` and ``after`` are empty where it is absent.

    ``guarded`` ones are such that a person would not make them in passing.
    """

    surface: str
    name: str
    before: str
    after: str
    guarded: bool

    @property
    def text(self) -> str:
        """Return it as a line for a person."""
        what = WORDS[self.surface].format(_printable(self.name))
        if self.surface == "ref" and self.before and self.after:
            return f"{what} was moved from {self.before[:12]} to {self.after[:12]}"
        if self.surface in {"mode", "stamp"}:
            return f"{what} were changed"
        if (self.before or self.after).startswith(TRACKED):
            return f"{what} was {'deleted' if self.after == TRACKED + GONE else 'changed'}"
        if not self.before:
            return f"{what} appeared"
        return f"{what} was {'changed' if self.after else 'removed'}"


def differences(
    git: Git, before: Fingerprint, after: Fingerprint, indexes: tuple[Path, Path]
) -> list[Difference]:
    """Return every difference, the gravest first.

    ``indexes`` are the directories with both fingerprints' copies of indexes. Raises ``CtoError``
    when one of these cannot be read.
    """
    moved = set(before.of("checkout")) ^ set(after.of("checkout"))
    pairs = {
        surface: _pairs(git, surface, before, after, indexes)
        for surface in WORDS
        if before.of(surface) != after.of(surface)
    }
    found = [
        Difference(
            surface=surface,
            name=name,
            before=old,
            after=new,
            guarded=_is_guarded(surface, name, old, new, moved),
        )
        for surface, rows in pairs.items()
        for name, old, new in rows
        if old != new
    ]
    return sorted(found, key=lambda each: not each.guarded)


def _pairs(
    git: Git, surface: str, before: Fingerprint, after: Fingerprint, indexes: tuple[Path, Path]
) -> Iterator[tuple[str, str, str]]:
    """Yield name, value before and value after of what may differ on one surface."""
    old, new = before.of(surface), after.of(surface)
    if surface == "index":
        for number, checkout in enumerate(before.checkouts()):
            name = str(checkout.git_dir)
            if old.get(name) != new.get(name):
                copies = [directory / f"index.{number}" for directory in indexes]
                yield from _joined(*(entries(git, checkout, copy) for copy in copies))
    elif surface == "config":
        for path, was, now in _joined(old, new):
            if was != now:
                for key, one, other in _joined(_settings(git, was), _settings(git, now)):
                    yield f"{key}\0{path}", one, other
    else:
        yield from (row for row in _joined(old, new) if row[1] or surface not in _GROWS)


def _joined(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*before, *after}):
        yield name, before.get(name, ""), after.get(name, "")


def _settings(git: Git, text: str) -> dict[str, str]:
    """Return a configuration file's settings; one that git cannot read is one setting."""
    raw = text.encode("utf-8", "surrogateescape")
    arguments = ("config", "--file", "-", "--no-includes", "--null", "--list")
    done = git.run(*arguments, stdin=raw, check=False)
    if done.code != 0:
        return {"(unreadable)": text}
    found: dict[str, str] = {}
    for row in done.out.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        key, equals, value = row.partition("\n")
        found[key] = f"{found.get(key, '')}{equals or '!'}{value}\0"
    return found


def _is_guarded(surface: str, name: str, before: str, after: str, moved: set[str]) -> bool:
    if surface not in GUARDED:
        return False
    if surface == "config":
        key, _, path = name.partition("\0")
        return not _HARMLESS.fullmatch(key) and not any(path.startswith(x) for x in moved)
    # A person makes and removes worktrees: what came or went with one is no more than that.
    came_or_went = not before or not after
    if came_or_went and any(name.startswith(f"{git_dir}/") for git_dir in moved):
        return False
    return bool(before) or surface != "entry"


def _printable(name: str) -> str:
    """Return a name as it can be recorded and shown: no address with a secret, no odd bytes."""
    key, separator, path = name.partition("\0")
    text = f"{_ADDRESS.sub('…', key)} in {path}" if separator else name
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
