"""One command that shows a red verdict again, on the very tree that was judged."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.policy.gates import gate_settings

if TYPE_CHECKING:
    from gitcto.policy.records import Policy

_FILES = (
    'd=$(mktemp -d) && GIT_INDEX_FILE="$d.index" '
    'git -c core.sparseCheckout=false --work-tree="$d" read-tree --reset -u {tree} && cd "$d"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refused change: the ``tree`` that a gate judged, made of ``work`` on ``onto``."""

    tree: str
    onto: str
    work: str


def argv_of(policy: Policy, gate: str) -> tuple[str, ...]:
    """Return the command that a gate runs; nothing when policy names none."""
    if gate not in policy.gates:
        return ()
    argv = gate_settings(policy, gate).get("argv", ())
    return tuple(map(str, argv)) if isinstance(argv, list | tuple) else ()


def reproduction(refused: Refused, argv: tuple[str, ...], *, present: bool) -> str:
    """Return one line for a POSIX shell, to be run in the repository.

    It writes the judged files to a new directory, as a gate sees them, and runs the gate's command
    there. For a gate that runs none, it shows the change that the gate looked at. Where the
    repository has lost the tree (it is not ``present``), it merges the two again.
    """
    tree = refused.tree
    if not present and refused.work:
        tree = f"$(git merge-tree --write-tree {refused.onto} {refused.work})"
    if not argv:
        return f"git diff {refused.onto} {tree}"
    return f"{_FILES.format(tree=tree)} && {shlex.join(argv)}"
