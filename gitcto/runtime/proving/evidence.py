"""Writing the evidence of an attempt, and looking once more at it before anything lands by it.

Only what this process itself started, read and decided goes in. Nothing that a worker put into its
tree is read as evidence, whatever it is called.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from gitcto import __version__
from gitcto.errors import CtoError
from gitcto.evidence.account import Account, GateRun, LedgerLine, Raw
from gitcto.evidence.compose import files_of, sealed
from gitcto.evidence.dsse import Signature
from gitcto.evidence.expected import verify_report
from gitcto.evidence.manifest import FILE_MODE, MANIFEST, Refusal, describe
from gitcto.evidence.report import REPORT
from gitcto.evidence.statements import NAMES
from gitcto.evidence.verify import ALWAYS, read_report
from gitcto.git.change import Change
from gitcto.git.durable import storage_errors
from gitcto.git.objects import Commit, MissingObject
from gitcto.git.trees import changes, patch
from gitcto.model.records import Execution, Landing, Task
from gitcto.policy.gates import required_gates
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.judged import Judged
from gitcto.runtime.core.messages import NO_WORK, Work
from gitcto.runtime.core.seats import all_runs
from gitcto.runtime.host.context import Context
from gitcto.runtime.proving.expected import Setting, belongs, of_landing
from gitcto.runtime.proving.signing import SigningFailed, sign
from gitcto.store import bundle
from gitcto.store.reader import LedgerReader

RAW_LIMIT = 8 << 20
"""How much of each stream of a worker is kept as evidence (bytes)."""


class EvidenceUnwritten(CtoError):  # noqa: N818  # named for what happened
    """A judgement has no evidence, so nothing may land by it; ``hint`` says what to do."""


def write_bundle(
    context: Context, candidate: Candidate, judged: Sequence[Judged], *, tree: str = ""
) -> str:
    """Write the evidence of a judgement as one git tree and return its id.

    ``tree`` is what was judged when it is not the candidate's own: several changes together.
    May be called from any thread. Raises :class:`EvidenceUnwritten` when the disk does not take
    it, when a gate's file has an impossible name, or when it cannot be signed as policy demands.
    """
    try:
        account = _account(
            context,
            candidate.task,
            candidate.execution,
            judged,
            onto=candidate.onto,
            commit_tree=candidate.tree,
            tree=tree or candidate.tree,
            change=candidate.change,
            changes=_shown(candidate.changes),
            patch=patch(context.git, candidate.onto, candidate.tree),
            signed=bool(context.policy.signing_key),
        )
        return _written(context, account)
    except (CtoError, ValueError) as error:
        hint = error.hint if isinstance(error, CtoError) else "look at the gate that wrote it"
        said = error.message if isinstance(error, CtoError) else str(error)
        raise EvidenceUnwritten(f"the evidence cannot be written: {said}", hint) from error


def bundle_or_why(
    context: Context, candidate: Candidate, judged: Sequence[Judged], *, tree: str = ""
) -> tuple[str, str]:
    """Write the evidence of a judgement; return its tree's id, or nothing and why there is none."""
    try:
        return write_bundle(context, candidate, judged, tree=tree), ""
    except EvidenceUnwritten as error:
        return "", f"{error.message}; {error.hint}"


def write_failure(  # noqa: PLR0913  # what an attempt is, why it failed, what is left of it
    context: Context,
    task: Task,
    execution: Execution,
    failure: Failure,
    judged: Sequence[Judged] = (),
    *,
    work: Work | None = NO_WORK,
) -> str:
    """Write the evidence of an attempt that ends without landing, and return its tree's id.

    ``work`` is what was taken up of it. When it cannot be signed as policy demands, it is written
    without a signature, for a person to read: it does not verify. Raises ``CtoError``.
    """
    taken = work or NO_WORK
    base = execution.base
    different = bool(taken.tree) and bool(taken.changed)
    account = _account(
        context,
        task,
        execution,
        judged,
        onto=base,
        commit_tree=taken.tree,
        tree=taken.tree,
        change=execution.change,
        changes=_shown(changes(context.git, base, taken.tree)) if different else (),
        patch=patch(context.git, base, taken.tree) if different else b"",
        blockers=(failure.reason,),
        detail=failure.detail,
        signed=bool(context.policy.signing_key),
    )
    try:
        return _written(context, account)
    except SigningFailed as error:
        told = (*account.blockers, "unsigned")
        detail = f"{account.detail}; {error.message}"
        return _written(context, replace(account, blockers=told, detail=detail, signed=False))


def check(context: Context, execution: Execution, evidence: str, landing: Landing) -> str:
    """Return why a landing may not be intended on this evidence: ``code: detail``, or nothing.

    Looks at names, modes, the manifest and the report, and not at every byte: git checks the bytes
    of what it reads by their ids. Ask before every intent; costs about a millisecond.
    """
    try:
        refused = _stale(context, execution, evidence, landing)
    except (CtoError, ValueError, KeyError, TypeError) as error:
        said = error.message if isinstance(error, CtoError) else repr(error)
        refused = [Refusal("unreadable", said)]
    return f"{refused[0].code}: {refused[0].detail}" if refused else ""


def _stale(
    context: Context, execution: Execution, evidence: str, landing: Landing
) -> list[Refusal]:
    oids = {path: (mode, oid) for path, mode, oid in bundle.entries(context.objects, evidence)}
    odd = [path for path, (mode, _) in oids.items() if mode != FILE_MODE]
    lost = [path for path in (*ALWAYS, MANIFEST) if path not in oids]
    if odd or lost:
        return [Refusal("mode" if odd else "artifact_missing", (*odd, *lost)[0])]
    manifest = json.loads(context.objects.read(oids[MANIFEST][1])[1])
    raw = context.objects.read(oids[REPORT][1])[1]
    report = read_report({REPORT: raw})
    if isinstance(report, Refusal):
        return [report]
    if {entry["path"] for entry in manifest["files"]} != oids.keys() - {MANIFEST}:
        return [Refusal("extra", "the manifest names other files than there are")]
    if describe(REPORT, raw) not in manifest["files"]:
        return [Refusal("digest", f"{REPORT} is another file than the manifest says")]
    commit = Commit.decode(context.objects.read(landing.commit or landing.new)[1])
    named = landing.evidence == evidence
    wrong = [] if named else [Refusal("evidence", "the landing names other evidence")]
    setting = Setting(team=context.layout.team, policy=context.policy)
    expected = of_landing(setting, execution, landing, commit)
    return [*wrong, *verify_report(report, expected)]


def _account(
    context: Context,
    task: Task,
    execution: Execution,
    judged: Sequence[Judged],
    **about: Any,
) -> Account:
    events = _events(context, execution)
    recorded_ms = [int(json.loads(each.line)["ts"]) for each in events]
    return Account(
        team=context.layout.team,
        task=task.spec,
        execution=execution,
        policy=context.policy.digest,
        required=required_gates(context.policy, task.spec.tier),
        gates=tuple(_gate_run(context, one) for one in judged),
        events=events,
        raw=_raw(context, execution),
        produced_ms=max(context.effects.now_ms(), *recorded_ms, 0),  # a clock may be set back
        producer=__version__,
        **about,
    )


def _events(context: Context, execution: Execution) -> tuple[LedgerLine, ...]:
    """Return the attempt's events; by a reader of our own, because we may be in any thread."""
    with LedgerReader(context.repository, context.layout.team) as reader:
        return belongs(reader.events(task=execution.task), execution.id)


def _gate_run(context: Context, one: Judged) -> GateRun:
    log = one.log
    if one.reused and one.verdict.log and not log:
        with suppress(MissingObject):  # no ref holds a log whose bundle was never cited
            log = context.objects.read(one.verdict.log)[1]
    return GateRun(verdict=one.verdict, log=log, reused=one.reused, artifacts=one.artifacts)


def _raw(context: Context, execution: Execution) -> dict[str, Raw]:
    found = {}
    for run in all_runs(execution):
        step = run.removeprefix(execution.id).replace(".", "step-")
        records = context.layout.records(run)
        for name in ("stdout", "stderr"):
            found[f"{step}/{name}" if step else name] = _beginning(records / f"{name}.log")
    return found


def _beginning(path: Path) -> Raw:
    with storage_errors(f"read {path}"):
        try:
            with path.open("rb") as stream:
                data = stream.read(RAW_LIMIT + 1)
        except (FileNotFoundError, NotADirectoryError):
            return Raw(data=b"")
    return Raw(data=data[:RAW_LIMIT], cut=len(data) > RAW_LIMIT)


def _shown(found: Sequence[Change]) -> tuple[tuple[str, str], ...]:
    return tuple((change.status, change.path) for change in found)


def _written(context: Context, account: Account) -> str:
    files = files_of(account)
    key = context.policy.signing_key
    signatures: dict[str, tuple[Signature, ...]] = {}
    if account.signed:
        signatures = {name: (sign(context.environ, key, files[name]),) for name in NAMES}
    tree = bundle.write(context.objects, sealed(files, signatures))
    context.effects.crash_point("evidence.written")
    return tree
