"""Our own search: a few certain formats, in everything that a patch adds."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from gitcto.api import Finding
from gitcto_secrets.formats import search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.api import FilePatch

MAX_BINARY_BYTES = 64 << 20
"""Largest change of a binary file that is looked into; a larger one cannot be judged."""


def secrets_in(files: Sequence[FilePatch]) -> tuple[Finding, ...]:
    """Return what is found, file by file; raises ``PatchError`` for what cannot be looked into.

    Binary content counts too, without its zeros, so that UTF-16 is read as well: one attribute or
    one such byte makes any file binary.
    """
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for file in files:
        for rule, line, prefix in sorted(_places(file)):
            seen[rule, file.path] += 1
            found.append(finding(rule, file.path, line, seen[rule, file.path], prefix))
    return tuple(found)


def finding(rule: str, path: str, line: int, nth: int, prefix: str = "") -> Finding:
    """Return a finding that tells nothing of the secret but four characters.

    ``nth`` counts the findings of a rule in a file, so that the fingerprint stays when lines move.
    """
    place = f"{rule}\0{path}\0{nth}".encode("utf-8", "surrogateescape")
    return Finding(
        rule=rule,
        severity="error",
        path=path,
        line=line,
        message=f"looks like a secret: {prefix}…" if prefix else "looks like a secret",
        fingerprints={"ruleAndPlace/v1": hashlib.sha256(place).hexdigest()},
    )


def _places(file: FilePatch) -> Iterator[tuple[str, int, str]]:
    """Yield rule, line (0 in binary content) and prefix."""
    if file.binary is not None:
        content = file.binary.added(MAX_BINARY_BYTES).replace(b"\0", b"")
        yield from ((rule, 0, prefix) for rule, _, prefix in search([content]))
    for rule, at, prefix in search([line.text for line in file.added]):
        yield rule, file.added[at].number, prefix
