"""Is the ledger in git what it claims to be? Read from git alone; the sidecar is not asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.model.codec import GENESIS, LineError, decode, digest
from gitcto.store import chain

if TYPE_CHECKING:
    from gitcto.git.repository import Repository
    from gitcto.store.commits import LedgerCommit


@dataclass(slots=True)
class _Check:
    problems: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    prev: str = GENESIS
    parent: str | None = None
    seconds: int = 0

    def commit(self, commit: LedgerCommit) -> None:
        name = commit.oid[:12]
        if commit.parent != self.parent:
            self.problems.append(f"commit {name} does not follow {str(self.parent)[:12]}")
        if commit.seconds < self.seconds:
            self.problems.append(f"commit {name} is dated before its parent")
        for line in commit.lines:
            self.line(name, line)
        self.parent = commit.oid
        self.seconds = max(self.seconds, commit.seconds)

    def line(self, name: str, line: bytes) -> None:
        try:
            event = decode(line)
        except LineError as error:
            self.problems.append(f"commit {name} holds a line that is no event: {error}")
        else:
            if event.prev != self.prev:
                self.problems.append(f"event {event.id} in commit {name} breaks the hash chain")
            if event.id in self.ids:
                self.problems.append(f"event {event.id} in commit {name} is there twice")
            self.ids.add(event.id)
        self.prev = digest(line)


def verify_chain(repository: Repository, ref: str, tip: str | None) -> list[str]:
    """Return one line per problem of the ledger that ends at ``tip``; none is a sound one."""
    check = _Check()
    if tip is None:
        return [f"{ref} does not exist"]
    try:
        for commits in chain.after(repository, ref, None, tip):
            for commit in commits:
                check.commit(commit)
    except CtoError as error:
        check.problems.append(error.message)
    return check.problems
