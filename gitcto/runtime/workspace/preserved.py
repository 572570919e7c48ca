"""Work that did not land: what is kept, and how a person takes it back or gives it up."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.effects import Effects
from gitcto.errors import CtoError, ExitCode
from gitcto.git.objects import Objects
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository
from gitcto.model.commands import DiscardWork, Refusal
from gitcto.model.records import Execution
from gitcto.runtime.host.layout import Layout
from gitcto.store.ledger import Ledger
from gitcto.store.reader import LedgerReader

_SHORTEST = 4
"""Digits of a commit that are enough, as in git."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One ref that keeps work. ``id`` names it below the team's preserved refs.

    ``execution`` is None for a ref that the ledger knows nothing of. ``by_worker`` tells a commit
    of the worker's own from the files that its attempt ended with.
    """

    id: str
    ref: str
    commit: str
    execution: Execution | None
    by_worker: bool


def kept_work(layout: Layout, refs: Refs, reader: LedgerReader) -> list[Kept]:
    """Return everything that is kept and was not given up, in the order of the attempts."""
    view = reader.view()
    found = []
    for ref, commit in refs.list(layout.preserved_prefix).items():
        execution = view.execution(layout.kept_for(ref))
        if execution is not None and execution.discarded.get(ref) == commit:
            continue
        name = ref.removeprefix(layout.preserved_prefix)
        by_worker = "/" in name
        found.append(
            Kept(id=name, ref=ref, commit=commit, execution=execution, by_worker=by_worker)
        )
    return found


def find(kept: list[Kept], wanted: str, prefix: str) -> Kept:
    """Return the one that ``wanted`` names: its ref or its id, of which a commit may be cut short.

    An attempt's id is never guessed: dropping one twice must not reach for another. Raises
    ``CtoError`` (exit 2) for none and for several.
    """
    name = wanted.removeprefix(prefix)
    place, slash, commit = name.partition("/")
    short = len(commit) >= _SHORTEST and f"{place}{slash}{commit}"
    found = [each for each in kept if each.id == name or (short and each.id.startswith(short))]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} of them begin with {wanted!r}" if found else f"no {wanted!r} is kept"
    raise CtoError(what, "`git cto preserved list` names everything that is kept", ExitCode.USAGE)


def restore(repository: Repository, kept: Kept, branch: str) -> bool:
    """Make ``branch`` (a short name) at the work; tell whether it was made, or there already.

    No checkout is touched. Raises ``CtoError`` when the name is bad or taken by something else.
    """
    from gitcto.git.process import plumbing

    name = f"refs/heads/{branch}"
    checked = plumbing(repository).run("check-ref-format", name, check=False)
    if checked.code != 0 or branch.startswith("-") or branch == "HEAD":
        raise CtoError(
            f"{branch!r} cannot name a branch", "choose another with `--branch`", ExitCode.USAGE
        )
    refs = Refs(repository)
    if refs.compare_and_swap(name, None, kept.commit):
        return True
    if refs.read(name) == kept.commit:
        return False
    raise CtoError(
        f"branch {branch} exists and is something else",
        "choose another name with `--branch`",
        ExitCode.REFUSED,
    )


def drop(ledger: Ledger, refs: Refs, effects: Effects, kept: Kept, reason: str) -> Refusal | None:
    """Record that kept work is given up, and only then delete its ref; return a refusal.

    Killed between the two, the ref is deleted by :func:`finish_drops` or by dropping it again.
    """
    if kept.execution is None:
        return Refusal("no_execution", "model.lease", "the ledger does not know this attempt")
    command = DiscardWork(
        execution=kept.execution.id, ref=kept.ref, commit=kept.commit, reason=reason
    )
    answer = ledger.transact(command)
    if isinstance(answer, Refusal):
        return answer
    effects.crash_point("work.discarded")
    refs.delete(kept.ref, kept.commit)
    return None


def lost_refs(layout: Layout, refs: Refs, reader: LedgerReader) -> list[Execution]:
    """Return the executions whose work the ledger says is kept under a ref that is gone."""
    held = refs.list(layout.preserved_prefix)
    return [x for x in reader.preserved() if x.preserved not in held]


def restore_lost(layout: Layout, refs: Refs, objects: Objects, reader: LedgerReader) -> None:
    """Make refs again that somebody else than ``git cto preserved drop`` deleted.

    Only where the work is still there: of another clone's it need not be.
    """
    for x in lost_refs(layout, refs, reader):
        if objects.has(x.work):
            refs.compare_and_swap(x.preserved, None, x.work)


def finish_drops(layout: Layout, refs: Refs, reader: LedgerReader) -> None:
    """Delete the refs of work that was given up by somebody who was interrupted then."""
    view = reader.view()
    for ref, commit in refs.list(layout.preserved_prefix).items():
        execution = view.execution(layout.kept_for(ref))
        if execution is not None and execution.discarded.get(ref) == commit:
            refs.delete(ref, commit)
