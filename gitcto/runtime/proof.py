"""Re-proving from git's objects that a task is done: nothing that was recorded is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitcto.errors import CtoError
from gitcto.git.objects import Commit, Objects
from gitcto.git.process import trusted
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository
from gitcto.git.trees import is_ancestor
from gitcto.model.events import ExecutionLeased, LandingDone, LandingIntended, PolicyAdopted
from gitcto.model.records import Decision, Execution, Task, TaskState
from gitcto.policy.decisions import reevaluate
from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.runtime.commits import (
    EVIDENCE_TRAILER,
    EXECUTION_TRAILER,
    TASK_TRAILER,
    TIER_TRAILER,
)
from gitcto.store import bundle
from gitcto.store.ledger import Ledger
from gitcto.store.reader import LedgerReader

POLICY_FILE = "policy.toml"
"""Where a transaction that adopts a policy keeps the policy's bytes."""


class Claim(NamedTuple):
    """Something that must hold; ``found`` says what is there instead when it does not."""

    text: str
    true: bool
    found: str = ""


def prove(ledger: Ledger, task: Task) -> list[Claim]:
    """Return every claim on which ``task`` being done rests, and whether it holds."""
    done = task.state is TaskState.DONE
    claims = [Claim(f"{task.spec.id} is done", done, f"it is {task.state.value}")]
    broken = ledger.verify_chain()
    claims.append(Claim("the ledger's chain is whole", not broken, "; ".join(broken[:3])))
    execution = ledger.view().execution(task.execution)
    if done and execution is not None:
        objects = Objects(ledger.repository)
        claims += _evidence(objects, task)
        claims += _commit(objects, task, execution)
        claims += _target(ledger.repository, task, execution)
        claims += _decisions(objects, ledger, task, execution)
    return claims


def _evidence(objects: Objects, task: Task) -> Iterator[Claim]:
    problems = bundle.verify(objects, task.evidence)
    text = f"evidence {task.evidence[:12]} is whole, file by file"
    yield Claim(text, not problems, "; ".join(problems))


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
    yield Claim("a gate judged it", bool(execution.verdicts), "there is no verdict")
    for verdict in execution.verdicts:
        same = verdict.tree == commit.tree
        where = "this very tree" if same else f"tree {verdict.tree[:12]}"
        yield Claim(
            f"gate {verdict.gate} passed the tree that landed",
            verdict.status == "pass" and same,
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
    policies: dict[str, Policy | str] = {}
    for stored in ledger.events(task=task.spec.id):
        body = stored.event.body
        if not isinstance(body, ExecutionLeased | LandingIntended | LandingDone):
            continue
        if body.execution == execution.id:
            yield _again(objects, ledger, body.decision, policies)


def _again(
    objects: Objects,
    ledger: LedgerReader,
    decision: Decision,
    policies: dict[str, Policy | str],
) -> Claim:
    text = f"policy {decision.policy[:12]} decides {decision.action} the same again"
    if decision.policy not in policies:
        policies[decision.policy] = adopted_policy(objects, ledger, decision.policy)
    policy = policies[decision.policy]
    if isinstance(policy, str):
        return Claim(text, true=False, found=policy)
    again = reevaluate(policy, decision)
    same = again == decision and decision.verdict == "allow"
    return Claim(text, same, f"{again.verdict} by {again.rule}: {again.reason}")


def adopted_policy(objects: Objects, ledger: LedgerReader, digest: str) -> Policy | str:
    """Return the policy with this digest from the ledger, or why it cannot be had."""
    for stored in ledger.events(newest_first=True):
        body = stored.event.body
        if not isinstance(body, PolicyAdopted) or body.digest != digest:
            continue
        try:
            _, raw = objects.read(stored.commit)
            text = bundle.read_file(objects, Commit.decode(raw).tree, POLICY_FILE)
            policy = parse(text, POLICY_FILE)
        except (CtoError, ValueError) as error:
            return str(error)
        return policy if policy.digest == digest else "its file is another one"
    return "the ledger does not hold it"
