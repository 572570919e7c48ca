"""The tree of a ledger commit: the evidence, artifacts and policy its events cite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.git.objects import Objects

_MODES = {"tree": "40000", "blob": "100644"}


def attach(objects: Objects, attachments: Mapping[str, str]) -> str:
    """Write a tree with each object under its path and return its oid; no paths, the empty tree.

    Raises ``MissingObject`` for an oid the repository does not have, and ``ValueError`` for a path
    that no tree can hold.
    """
    here: list[tuple[str, str | bytes, str]] = []
    below: dict[str, dict[str, str]] = {}
    for path, oid in sorted(attachments.items()):
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = oid
        else:
            kind = objects.read(oid)[0]
            if kind not in _MODES:
                raise ValueError(f"attachment {path} is a {kind}")
            here.append((_MODES[kind], name, oid))
    for name, rest_of in below.items():
        here.append((_MODES["tree"], name, attach(objects, rest_of)))
    return objects.write_tree(here)
