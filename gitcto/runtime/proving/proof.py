"""Re-proving from git's objects that a task is done: nothing that was recorded is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitcto.errors import CtoError
from gitcto.evidence.manifest import Refusal
from gitcto.git.change_id import change_id
from gitcto.git.objects import Commit, Objects
from gitcto.git.process import trusted
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository
from gitcto.git.trees import changes, is_ancestor
from gitcto.model.events import ExecutionLeased, LandingDone, LandingIntended
from gitcto.model.records import Decision, Execution, Task, TaskState
from gitcto.model.step_events import StepStarted
from gitcto.model.verdicts import about
from gitcto.runtime.proving.proof_evidence import NOBODY, Signers, check_attempt, evidence_of
from gitcto.runtime.proving.redecide import Judges, steps_again
from gitcto.runtime.workspace.commits import (
    EVIDENCE_TRAILER,
    EXECUTION_TRAILER,
    TASK_TRAILER,
    TIER_TRAILER,
)
from gitcto.store import bundle
from gitcto.store.ledger import Ledger
from gitcto.store.reader import LedgerReader


class Claim(NamedTuple):
    """Something that must hold; ``found`` says what is there instead when it does not.

    ``refusals`` say it with stable codes, where there are some.
    """

    text: str
    true: bool
    found: str = ""
    refusals: tuple[Refusal, ...] = ()


def prove(ledger: Ledger, task: Task, signers: Signers = NOBODY) -> list[Claim]:
    """Return every claim on which ``task`` being done rests, and whether it holds."""
    done = task.state is TaskState.DONE
    claims = [Claim(f"{task.spec.id} is done", done, f"it is {task.state.value}")]
    broken = ledger.verify_chain()
    claims.append(Claim("the ledger's chain is whole", not broken, "; ".join(broken[:3])))
    execution = ledger.view().execution(task.execution)
    if done and execution is not None:
        objects = Objects(ledger.repository)
        claims.append(attested(ledger, task, execution, signers))
        claims += _commit(objects, task, execution)
        claims += _judged(objects, ledger.repository, task, execution)
        claims += _target(ledger.repository, task, execution)
        claims += _decisions(objects, ledger, task, execution)
    return claims


def attested(ledger: Ledger, task: Task, execution: Execution, signers: Signers) -> Claim:
    """Return the claim that the evidence of an attempt is whole, about it, and fresh."""
    tree = evidence_of(execution)
    text = f"evidence {tree[:12]} is whole, about attempt {execution.attempt}, and fresh"
    try:
        found = bundle.found(Objects(ledger.repository), tree)
        refused = tuple(check_attempt(ledger, task, execution, found, signers))
    except (CtoError, ValueError) as error:
        refused = (Refusal("unreadable", str(error)),)
    said = "; ".join(f"{one.code}: {one.detail}" for one in refused)
    return Claim(text, not refused, said, refused)


def _commit(objects: Objects, task: Task, execution: Execution) -> Iterator[Claim]:
    text = f"commit {task.commit[:12]} is in this repository"
    try:
        kind, raw = objects.read(task.commit)
        commit = Commit.decode(raw)
    except (CtoError, ValueError) as error:
        yield Claim(text, true=False, found=str(error))
        return
    yield Claim(text, kind == "commit", f"it is a {kind}")
    trailers = commit.trailers()
    wanted = {
        TASK_TRAILER: task.spec.id,
        EXECUTION_TRAILER: execution.id,
        TIER_TRAILER: task.spec.tier,
        EVIDENCE_TRAILER: task.evidence,
    }
    for name, value in wanted.items():
        found = trailers.get(name, [])
        yield Claim(f"its trailer {name} is {value}", found == [value], ", ".join(found) or "none")


def _judged(
    objects: Objects, repository: Repository, task: Task, execution: Execution
) -> Iterator[Claim]:
    """Claim that what gates judged is what landed: the tree as a whole, and this very change.

    Several changes may have landed together: then the task's commit is below the one whose tree was
    judged.
    """
    landing, git = execution.landing, trusted(repository)
    if landing is None:
        yield Claim("its landing was intended", true=False, found="it was not")
        return
    try:
        _, raw = objects.read(landing.new)
        tree = Commit.decode(raw).tree
        below = is_ancestor(git, task.commit, landing.new)
        parent = f"{task.commit}^"
        change = change_id(git, parent, task.commit, changes(git, parent, task.commit))
    except (CtoError, ValueError) as error:
        yield Claim(f"commit {landing.new[:12]} was judged", true=False, found=str(error))
        return
    yield Claim(f"commit {landing.new[:12]}, which was judged, holds it", below, "it does not")
    yield Claim("a gate judged it", bool(execution.verdicts), "there is no verdict")
    for verdict in about(execution.verdicts, landing):
        if verdict.change:
            said, right, what = verdict.change, change, "change"
        else:
            said, right, what = verdict.tree, tree, "tree"
        where = f"this very {what}" if said == right else f"{what} {said[:12]}"
        yield Claim(
            f"gate {verdict.gate} passed the {what} that landed",
            verdict.status == "pass" and said == right,
            f"{verdict.status} on {where}",
        )


def _target(repository: Repository, task: Task, execution: Execution) -> Iterator[Claim]:
    target = execution.landing.target if execution.landing else ""
    branch = target.removeprefix("refs/heads/")
    tips = _tips(repository, target, branch)
    git = trusted(repository)
    try:
        held = any(is_ancestor(git, task.commit, tip) for tip in tips)
    except CtoError as error:
        yield Claim(f"{branch} holds it", true=False, found=error.message)
        return
    yield Claim(f"{branch} holds it", held, "it does not" if tips else "there is no such branch")


def _tips(repository: Repository, target: str, branch: str) -> list[str]:
    """Return where the target is: our own branch, and those of remotes for a fresh clone."""
    refs = Refs(repository)
    own = refs.read(target)
    remote = [
        oid for name, oid in refs.list("refs/remotes/").items() if name.endswith(f"/{branch}")
    ]
    return [*([own] if own else []), *remote]


def _decisions(
    objects: Objects, ledger: LedgerReader, task: Task, execution: Execution
) -> Iterator[Claim]:
    """Decide everything about the landed attempt again, under the policy of its time."""
    judges = Judges(objects, ledger)
    for stored in ledger.events(task=task.spec.id):
        body = stored.event.body
        if not isinstance(body, ExecutionLeased | StepStarted | LandingIntended | LandingDone):
            continue
        # A step that nobody might do was denied, and ran nothing.
        if isinstance(body, StepStarted) and not body.provider:
            continue
        if body.execution == execution.id and body.decision is not None:
            yield _again(judges, body.decision)
    if execution.strategy_file:
        yield _derived(objects, ledger, execution)


def _derived(objects: Objects, ledger: LedgerReader, execution: Execution) -> Claim:
    """Claim that the attempt took the steps of the strategy that it began with."""
    proof = steps_again(objects, ledger, execution.id)
    found = [proof.take(stored.event, stored.seq) for stored in ledger.events()]
    wrong = [f"{each.said}: {each.differs}" for each in found if each and each.differs]
    text = f"strategy {execution.strategy} ({execution.strategy_file[:12]}) leads to its steps"
    return Claim(text, not wrong, "; ".join(wrong))


def _again(judges: Judges, decision: Decision) -> Claim:
    text = f"policy {decision.policy[:12]} decides {decision.action} the same again"
    differs = judges.differs(decision)
    same = not differs and decision.verdict == "allow"
    return Claim(text, same, differs or f"it was a denial: {decision.reason}")
