"""A ledger's commits in git: where its ref points, and what came after a commit we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.store.commits import LedgerBroken, LedgerCommit, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

PREFIX = "refs/cto/teams/"
"""Under it every team has one folder of refs."""

_NEAR = 64
_CHUNK = 1_000


class LedgerForked(CtoError):  # noqa: N818 - a state, not a fault
    """The ref no longer contains what this machine had already seen of the ledger."""

    def __init__(self, ref: str, seen: str, tip: str | None) -> None:
        now = "is gone" if tip is None else f"is now at {tip[:12]}, which does not contain it"
        super().__init__(
            f"ledger forked: {ref} was at {seen[:12]} and {now}",
            f"bring it back with `git update-ref {ref} {seen}`, or, if the ref is right, "
            "delete cto/sidecar.db in the git directory",
            ExitCode.GIT,
        )


class Outrun(Exception):  # noqa: N818 - the ledger decides again; no user sees it
    """Somebody else added to a ledger between our look at it and our swap."""


def ledger_ref(team: str) -> str:
    """Return the name of the one ref that holds a team's ledger."""
    return f"{PREFIX}{team}/ledger"


def teams(repository: Repository) -> list[str]:
    """Return the names of the teams that have a ledger, sorted."""
    from gitcto.git.refs import Refs

    found = Refs(repository).list(PREFIX)
    ends = "/ledger"
    names = (name[len(PREFIX) : -len(ends)] for name in found if name.endswith(ends))
    return sorted(name for name in names if "/" not in name)


def after(
    repository: Repository, ref: str, known: str | None, tip: str
) -> Iterator[list[LedgerCommit]]:
    """Yield the commits after ``known`` up to ``tip``, oldest first, in chunks.

    Raises :class:`LedgerForked` when ``known`` is not an ancestor of ``tip`` and
    :class:`gitcto.store.commits.LedgerBroken` when something on the way is no ledger commit.
    """
    near, rest = _walk(repository, known, tip)
    if rest is not None and rest != known:
        yield from _bulk(repository, ref, known, rest)
    elif rest != known:
        raise LedgerForked(ref, str(known), tip)
    if near:
        yield near


def _walk(
    repository: Repository, known: str | None, tip: str
) -> tuple[list[LedgerCommit], str | None]:
    from gitcto.git.objects import Objects

    objects = Objects(repository)
    found: list[LedgerCommit] = []
    at: str | None = tip
    while at is not None and at != known and len(found) < _NEAR:
        commit = decode(at, *objects.read(at))
        found.append(commit)
        at = commit.parent
    found.reverse()
    return found, at


def _bulk(
    repository: Repository, ref: str, known: str | None, tip: str
) -> Iterator[list[LedgerCommit]]:
    from concurrent.futures import ThreadPoolExecutor

    from gitcto.git.process import plumbing

    git = plumbing(repository)
    limits = [tip] if known is None else [tip, f"^{known}"]
    listed = git.run("rev-list", "--reverse", *limits, "--").out.split()
    if not listed:  # the tip is older than what we know
        raise LedgerForked(ref, str(known), tip)
    batches = [listed[start : start + _CHUNK] for start in range(0, len(listed), _CHUNK)]
    with ThreadPoolExecutor(1) as ahead:  # git reads the next chunk while we fold this one
        coming = ahead.submit(_read_raw, git, batches[0])
        for number, batch in enumerate(batches):
            commits = _parse(batch, coming.result())
            if number + 1 < len(batches):
                coming = ahead.submit(_read_raw, git, batches[number + 1])
            if number == 0:
                _check_start(ref, known, commits[0], tip)
            yield commits


def _check_start(ref: str, known: str | None, first: LedgerCommit, tip: str) -> None:
    if first.parent == known:
        return
    if known is None:
        raise LedgerBroken(f"{ref} is cut off: its history is shallow", MISSING_HINT)
    raise LedgerForked(ref, known, tip)


def _read_raw(git: Git, oids: Sequence[bytes]) -> bytes:
    return git.run("cat-file", "--batch", stdin=b"\n".join([*oids, b""])).out


def _parse(oids: Sequence[bytes], out: bytes) -> list[LedgerCommit]:
    commits: list[LedgerCommit] = []
    at = 0
    for oid in oids:
        line_end = out.index(b"\n", at)
        header = out[at:line_end].split()
        if len(header) != len(("oid", "kind", "size")):
            raise LedgerBroken(f"ledger commit {oid.decode()[:12]} is missing", MISSING_HINT)
        start = line_end + 1
        end = start + int(header[2])
        commits.append(decode(oid.decode(), header[1].decode(), out[start:end]))
        at = end + 1
    return commits


MISSING_HINT = "run `git fetch <remote> 'refs/cto/*:refs/cto/*'` from a clone that has it"
"""What to do when an object of a ledger cannot be read and the sidecar does not have it."""
