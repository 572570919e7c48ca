"""Whom the commits that a worker made name as authors, as text that is safe in a trailer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitcto.git.process import Git

_COMMITS = 500
_LONGEST_NAME = 80
_LONGEST_ADDRESS = 200
_PERSON = re.compile(r"([^<>]*)<([^<>\s]+@[^<>\s]+)>\s*")
_FORMAT = "--format=%an <%ae>%n%(trailers:key=Co-authored-by,valueonly,unfold)"


def authors_since(git: Git, tips: Iterable[str], base: str, tree: str) -> tuple[str, ...]:
    """Return ``Name <address>`` of everybody who made ``tree`` from ``base``, each address once.

    Only commits count that lead from the base to a tip with exactly this tree: their authors, and
    whom their ``Co-authored-by`` trailers name. At most 500 commits are read, the newest.
    """
    found: dict[str, str] = {}
    for tip in tips:
        if git.text("rev-parse", "--verify", "--end-of-options", f"{tip}^{{tree}}") != tree:
            continue
        for address, person in _persons(git, tip, base):
            found.setdefault(address, person)
    return tuple(found.values())


def _persons(git: Git, tip: str, base: str) -> Iterator[tuple[str, str]]:
    options = ("--reverse", "--no-show-signature", "--no-mailmap", "--encoding=UTF-8", _FORMAT)
    arguments = ("log", *options, f"--max-count={_COMMITS}", "--end-of-options", tip, f"^{base}")
    for line in git.run(*arguments).out.decode("utf-8", "replace").splitlines():
        match = _PERSON.fullmatch(line)
        if match is None:
            continue
        name, address = _printable(match[1])[:_LONGEST_NAME].strip(), _printable(match[2])
        if name and len(address) <= _LONGEST_ADDRESS:
            yield address.casefold(), f"{name} <{address}>"


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
