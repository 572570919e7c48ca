"""The id of a change: the same wherever it lands, and another one as soon as anything in it is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gitcto.git.trees import patch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitcto.git.change import Change
    from gitcto.git.process import Git


def change_id(git: Git, old: str, new: str, changed: Iterable[Change]) -> str:
    """Return the SHA-256 of a change's stable patch id and of each path with its status.

    It survives a clean rebase, because a patch id knows neither line numbers nor whitespace; modes
    of files and empty ones, of which a patch id knows nothing, count through the paths. Raises
    ``CtoError``.
    """
    return change_of(git, patch(git, old, new), changed)


def change_of(git: Git, diff: bytes, changed: Iterable[Change]) -> str:
    """Return the id of a change that is at hand as a patch. Raises ``CtoError``."""
    said = git.run("patch-id", "--stable", stdin=diff).out.split()
    parts = [said[0] if said else b""]
    for change in changed:
        parts += [change.status.encode(), change.path.encode("utf-8", "surrogateescape")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
