"""Judging one attempt on one tip of the target: merge, gates on the merged tree, evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import (
    CommandResult,
    GateContext,
    GateResult,
    MergeRequest,
    MergeResult,
)
from gitcto.errors import CtoError
from gitcto.git.durable import discard
from gitcto.git.objects import Commit
from gitcto.git.trees import changes, checkout
from gitcto.model.records import Execution, Task, Verdict
from gitcto.policy.gates import gate_definition, gate_settings, required_gates
from gitcto.runtime import workers
from gitcto.runtime.ask import ask
from gitcto.runtime.attempt import limits_of
from gitcto.runtime.candidate import Candidate
from gitcto.runtime.commits import landing_commit, message
from gitcto.runtime.context import Context
from gitcto.runtime.evidence import Judged, write_bundle
from gitcto.runtime.isolation import Inmate, confine, make_home
from gitcto.runtime.jobs import Post
from gitcto.runtime.messages import Validated

MERGE_DEADLINE_S = 300.0
"""How long one merge resolver may take (seconds)."""

GATE_OUTPUT_BYTES = 4 << 20
"""How much of a gate command's output is kept."""

GATE_GRACE_S = 1.0
"""How long a gate's command gets between the signals that end it (seconds)."""

GRACE_S = 10.0
"""What a gate plugin gets beyond its command's deadline to say what happened (seconds)."""

MERGED = "merged."
"""What the name of a directory begins with that holds a merged tree for gates."""

Known = Mapping[tuple[str, str, str], Verdict]
"""Green verdicts by (gate, definition, tree), so that a tree is not tested twice."""


def validate(
    context: Context, task: Task, execution: Execution, onto: str, known: Known
) -> Callable[[Post], None]:
    """Return the job that judges an execution's work on the target's tip ``onto``."""

    def job(post: Post) -> None:
        post(judge(context, task, execution, onto, known))

    return job


def judge(context: Context, task: Task, execution: Execution, onto: str, known: Known) -> Validated:
    """Merge, run the tier's gates on the merged tree, and write evidence and landing commit."""
    merged = merge(context, execution, onto)
    if not merged.tree:
        return Validated(
            execution=execution, onto=onto, conflicts=merged.conflicts, detail=merged.detail
        )
    candidate = Candidate(
        task=task,
        execution=execution,
        onto=onto,
        tree=merged.tree,
        changes=changes(context.git, _tree_of(context, onto), merged.tree),
    )
    judged = _run_gates(context, candidate, known)
    evidence = write_bundle(context, candidate, judged)
    verdicts = tuple(one.verdict for one in judged)
    commit = ""
    if verdicts and all(verdict.status == "pass" for verdict in verdicts):
        commit = landing_commit(context, candidate, evidence)
    return Validated(
        execution=execution,
        onto=onto,
        tree=merged.tree,
        commit=commit,
        evidence=evidence,
        verdicts=verdicts,
    )


def merge(context: Context, execution: Execution, onto: str) -> MergeResult:
    """Ask policy's merge resolvers in turn; the first tree wins, else the last conflict counts."""
    if onto == execution.base:
        return MergeResult(tree=execution.tree)
    request = MergeRequest(git=context.git, base=execution.base, ours=onto, theirs=execution.work)
    result = MergeResult(detail="policy names no merge resolver")
    for name in context.policy.merge_resolvers:
        registered = context.plugins.merge_resolvers().get(name)
        if registered is None:
            result = MergeResult(detail=f"no plugin provides the merge resolver {name!r}")
            continue
        answer: MergeResult | Crashed | TimedOut = ask(
            context.plugins, registered, "merge", request, deadline_s=MERGE_DEADLINE_S
        )
        if isinstance(answer, Crashed | TimedOut):
            result = MergeResult(detail=f"{answer.what}: {answer.reason}")
            continue
        result = answer
        if answer.tree:
            break
    return result


def _tree_of(context: Context, commit: str) -> str:
    return Commit.decode(context.objects.read(commit)[1]).tree


def _run_gates(context: Context, candidate: Candidate, known: Known) -> list[Judged]:
    """Run the cheap gates first; a checkout is made only when they are all green."""
    names = required_gates(context.policy, candidate.task.spec.tier)
    offered = context.plugins.gates()
    wants_files = {
        name
        for name in names
        if (one := offered.get(context.policy.gates[name].plugin)) is not None
        and one.descriptor.needs_checkout
    }
    cheap = [
        _judge_one(context, candidate, name, None) for name in names if name not in wants_files
    ]
    if not wants_files or any(one.verdict.status != "pass" for one in cheap):
        return cheap
    fresh = _fresh_place(context.layout.place(candidate.execution.id))
    merged = fresh / "tree"
    judged = list(cheap)
    for name in (name for name in names if name in wants_files):
        key = (name, gate_definition(context.policy, name), candidate.tree)
        if key in known:
            judged.append(Judged(verdict=known[key], log=b"", reused=True))
            continue
        if not merged.exists():
            checkout(context.git, candidate.tree, merged, fresh / "index")
        judged.append(_judge_one(context, candidate, name, merged))
    discard(fresh)
    return judged


def _fresh_place(place: Path) -> Path:
    """Return a new directory: git of a killed run may still be filling, or have locked, the last.

    What cannot be removed for that reason goes with the execution's room.
    """
    for former in place.glob(f"{MERGED}*"):
        with suppress(CtoError):
            discard(former)
    place.mkdir(parents=True, exist_ok=True)
    return Path(mkdtemp(prefix=MERGED, dir=place))


def _judge_one(context: Context, candidate: Candidate, name: str, files: Path | None) -> Judged:
    began = context.effects.monotonic_s()
    result = _ask_gate(context, candidate, name, files)
    verdict = Verdict(
        gate=name,
        status=result.status,
        reason=result.reason,
        tree=candidate.tree,
        definition=gate_definition(context.policy, name),
        detail=result.detail,
        log=context.objects.write_blob(result.log) if result.log else "",
        duration_ms=round((context.effects.monotonic_s() - began) * 1000),
    )
    return Judged(verdict=verdict, log=result.log, reused=False)


def _ask_gate(context: Context, candidate: Candidate, name: str, files: Path | None) -> GateResult:
    settings = context.policy.gates[name]
    registered = context.plugins.gates().get(settings.plugin)
    if registered is None:
        detail = f"no plugin provides the gate {settings.plugin!r}"
        return GateResult(status="not_run", reason="no_plugin", detail=detail)
    deadline_s = float(settings.deadline_s or registered.descriptor.deadline_s)
    request = GateContext(
        task=candidate.task.spec,
        execution=candidate.execution.id,
        attempt=candidate.execution.attempt,
        tree=candidate.tree,
        onto=candidate.onto,
        work=candidate.execution.work,
        message=message(candidate.task.spec, candidate.execution),
        changes=candidate.changes,
        settings=gate_settings(context.policy, name),
        deadline_s=deadline_s,
        checkout=files,
        run=_runner(context, candidate.execution, files),
    )
    answer: GateResult | Crashed | TimedOut = ask(
        context.plugins, registered, "judge", request, deadline_s=deadline_s + GRACE_S
    )
    if isinstance(answer, Crashed):
        return GateResult(status="not_run", reason="crashed", detail=answer.reason)
    if isinstance(answer, TimedOut):
        return GateResult(status="not_run", reason="deadline", detail=answer.reason)
    return answer


def _runner(
    context: Context, execution: Execution, files: Path | None
) -> Callable[[Sequence[str], float], CommandResult]:
    place = context.layout.place(execution.id)
    scratch = place / "gate"

    def run(argv: Sequence[str], deadline_s: float) -> CommandResult:
        make_home(scratch)
        env = {
            **context.worker_env,
            "HOME": str(scratch / "home"),
            "TMPDIR": str(scratch / "tmp"),
            "CTO_TASK": execution.task,
        }
        writes = (scratch,) if files is None else (files, scratch)
        inmate = Inmate(argv=tuple(argv), env=env, cwd=files or scratch, writes=writes)
        private = context.layout.private(execution.id)
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        program = confine(context, inmate, private)
        limits = replace(
            limits_of(context.policy),
            wall_s=deadline_s,
            idle_s=None,
            output_bytes=GATE_OUTPUT_BYTES,
            grace_s=GATE_GRACE_S,
        )
        return workers.run_command(program, limits, place)

    return run
