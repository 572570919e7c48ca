"""Checking a bundle: by itself, against the ledger, against git's objects, and who signed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitcto.errors import CtoError
from gitcto.evidence.compose import PATCH
from gitcto.evidence.expected import Expected, verify_expected
from gitcto.evidence.manifest import Found, Refusal
from gitcto.evidence.verify import envelopes, read_report, verify_bundle
from gitcto.git.change_id import change_of
from gitcto.git.objects import Commit, Objects
from gitcto.git.process import Git, trusted
from gitcto.git.trees import changes
from gitcto.model.events import LandingIntended, PolicyAdopted
from gitcto.model.records import Execution, Task
from gitcto.policy.gates import required_gates
from gitcto.policy.records import Policy
from gitcto.runtime.proving.adopted import adopted_policy
from gitcto.runtime.proving.expected import Setting, belongs, cites, of_failure, of_landing
from gitcto.runtime.proving.signing import problem
from gitcto.store.queries import StoredEvent
from gitcto.store.reader import LedgerReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Whose signatures count: the environment to ask in, and a file of allowed signers."""

    environ: Mapping[str, str]
    allowed: str


NOBODY = Signers(environ={}, allowed="")
"""Nobody's signature counts: evidence that is signed is refused."""


def check_alone(found: Sequence[Found], signers: Signers) -> list[Refusal]:
    """Return why a bundle that lies anywhere is not whole, or not signed by whom it must be.

    Without a ledger nobody can tell whether it is about the attempt it names.
    """
    return verify_bundle(found) or list(_signatures(_plain(found), signers))


def check_attempt(
    reader: LedgerReader, task: Task, execution: Execution, found: Sequence[Found], signers: Signers
) -> list[Refusal]:
    """Return why a bundle is not the evidence of this attempt; raises ``CtoError``."""
    refused = verify_bundle(found)
    if refused:
        return refused
    files = _plain(found)
    report = read_report(files)
    if isinstance(report, Refusal):
        return [report]
    objects = Objects(reader.repository)
    expected = _expected(reader, objects, task, execution)
    if isinstance(expected, Refusal):
        return [expected]
    return [
        *verify_expected(files, report, expected),
        *_patch(trusted(reader.repository), objects, report, files[PATCH]),
        *_signatures(files, signers),
    ]


def evidence_of(execution: Execution) -> str:
    """Return the bundle that the ledger cites for an attempt, or nothing."""
    landing = execution.landing.evidence if execution.landing else ""
    return execution.evidence or landing


def _plain(found: Sequence[Found]) -> dict[str, bytes]:
    return {file.path: file.data for file in found}


def _expected(
    reader: LedgerReader, objects: Objects, task: Task, execution: Execution
) -> Expected | Refusal:
    events = list(reader.events(task=task.spec.id))
    citing = cites(events, evidence_of(execution))
    if citing is None:
        return Refusal("uncited", "no event of the ledger cites evidence of this attempt")
    digest = _policy_at(reader, citing)
    policy = adopted_policy(objects, reader, digest)
    if not isinstance(policy, Policy):
        return Refusal("policy_lost", policy)
    setting = Setting(
        team=reader.team,
        policy=policy,
        required=required_gates(policy, task.spec.tier),
        events=belongs((e for e in events if e.seq < citing.seq), execution.id),
    )
    body = citing.event.body
    if isinstance(body, LandingIntended):
        commit = Commit.decode(objects.read(body.landing.commit or body.landing.new)[1])
        return of_landing(setting, execution, body.landing, commit)
    return of_failure(setting, execution)


def _policy_at(reader: LedgerReader, citing: StoredEvent) -> str:
    """Return the digest of the policy that held when an event was recorded."""
    body = citing.event.body
    if isinstance(body, LandingIntended):
        return body.decision.policy
    for stored in reader.events(newest_first=True):
        if stored.seq < citing.seq and isinstance(stored.event.body, PolicyAdopted):
            return stored.event.body.digest
    return ""


def _patch(git: Git, objects: Objects, report: Mapping[str, Any], said: bytes) -> Iterator[Refusal]:
    """Compare the patch and the paths with what the trees in git differ by."""
    if not report["commit_tree"]:
        return
    try:
        before = Commit.decode(objects.read(report["onto"])[1]).tree
        differing = changes(git, before, report["commit_tree"])
        real = change_of(git, said, differing)
    except (CtoError, ValueError) as error:
        yield Refusal("patch", f"what it is about cannot be read ({error})")
        return
    shown = [{"status": one.status, "path": _shown(one.path)} for one in differing]
    if report["changes"] != shown:
        yield Refusal("changes", "the trees differ in other paths than the evidence lists")
    if report["change"] and report["change"] != real:
        yield Refusal("patch", "the patch in the evidence is another change")


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _signatures(files: Mapping[str, bytes], signers: Signers) -> Iterator[Refusal]:
    for name, read in envelopes(files).items():
        if not read.signatures:
            continue
        complaint = problem(signers.environ, signers.allowed, read)
        if complaint:
            yield Refusal("signature", f"{name}: {complaint}")
