"""One ledger transaction as a git commit: a subject for people, then one event per line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNATURE = "git-cto <git-cto@localhost>"
_HEAD = re.compile(
    rb"tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)author [^\n]*\ncommitter [^\n]* ([0-9]+) [^\n]*\n"
)
_HINT = "move the ref away with `git update-ref`, or fetch refs/cto/* from a clone that has it"


class LedgerBroken(CtoError):  # noqa: N818 - a state, not a fault
    """What a ledger ref leads to is damaged, or was never a ledger."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint, ExitCode.GIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCommit:
    """One commit of a ledger, decoded.

    ``lines`` are the events as bytes without newlines, ``seconds`` the committer's date and
    ``raw`` the exact bytes of the object.
    """

    oid: str
    parent: str | None
    tree: str
    seconds: int
    subject: str
    lines: tuple[bytes, ...]
    raw: bytes


def encode(
    *, tree: str, parent: str | None, seconds: int, subject: str, lines: Sequence[bytes]
) -> bytes:
    """Return the bytes of a commit object. The subject must be one line."""
    head = [f"tree {tree}"]
    if parent is not None:
        head.append(f"parent {parent}")
    head.append(f"author {_SIGNATURE} {seconds} +0000")
    head.append(f"committer {_SIGNATURE} {seconds} +0000")
    text = "\n".join([*head, "", subject, "", ""])
    return text.encode() + b"\n".join([*lines, b""])


def decode(oid: str, kind: str, raw: bytes) -> LedgerCommit:
    """Read a ledger commit. Raises :class:`LedgerBroken` when it is none.

    Whoever wrote it: only tree, at most one parent, the date and the event lines matter.
    """
    if kind != "commit":
        raise LedgerBroken(f"object {oid[:12]} is a {kind}, not a ledger commit", _HINT)
    head = _HEAD.match(raw)
    if head is None:
        raise LedgerBroken(f"ledger commit {oid[:12]} has a malformed header", _HINT)
    tree, parents, seconds = head.groups()
    if len(parents.splitlines()) > 1:
        raise LedgerBroken(f"ledger commit {oid[:12]} is a merge; a ledger is linear", _HINT)
    subject, _, body = raw[raw.index(b"\n\n") + 2 :].partition(b"\n")
    lines = tuple([line for line in body.split(b"\n") if line[:1] == b"{"])
    if not lines:
        raise LedgerBroken(f"commit {oid[:12]} carries no events of git-cto", _HINT)
    return LedgerCommit(
        oid=oid,
        parent=parents[7:-1].decode() or None,
        tree=tree.decode(),
        seconds=int(seconds),
        subject=subject.decode(errors="replace"),
        lines=lines,
        raw=raw,
    )


def is_canonical(commit: LedgerCommit) -> bool:
    """Tell whether :func:`encode` gives this commit's bytes back, so they need not be kept."""
    again = encode(
        tree=commit.tree,
        parent=commit.parent,
        seconds=commit.seconds,
        subject=commit.subject,
        lines=commit.lines,
    )
    return again == commit.raw
