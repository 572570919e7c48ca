"""Gates on a candidate: each asks its plugin, in files of its own, and gives one verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from threading import Event

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import CommandResult, GateContext, GateResult
from gitcto.errors import CtoError
from gitcto.git.durable import discard
from gitcto.git.trees import checkout, patch
from gitcto.model.records import Execution, Verdict
from gitcto.policy.gates import gate_definition, gate_settings, required_gates
from gitcto.runtime import workers
from gitcto.runtime.ask import ask
from gitcto.runtime.attempt import limits_of
from gitcto.runtime.candidate import Candidate
from gitcto.runtime.commits import message
from gitcto.runtime.context import Context
from gitcto.runtime.isolation import Inmate, confine, make_home

GATE_OUTPUT_BYTES = 4 << 20
"""How much of a gate command's output is kept."""

GATE_GRACE_S = 1.0
"""How long a gate's command gets between the signals that end it (seconds)."""

GRACE_S = 10.0
"""What a gate plugin gets beyond its command's deadline to say what happened (seconds)."""

MERGED = "merged."
"""What the name of a directory begins with that holds a merged tree for gates."""

Known = Mapping[str, Verdict]
"""Green verdicts by their key, so that nothing is judged twice."""

Only = Mapping[str, tuple[str, ...]]
"""The tests that are to be run again, by gate; a gate without tests runs whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict with its log; ``reused`` when an earlier run on the same thing gave it."""

    verdict: Verdict
    log: bytes
    reused: bool
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


def judge_change(context: Context, candidate: Candidate, known: Known) -> list[Judged]:
    """Ask the gates of the change's tier that judge changes."""
    names = _named(context, [candidate], "change")
    return _judge(context, candidate, names, known, {})


def judge_tree(
    context: Context,
    candidates: Sequence[Candidate],
    known: Known,
    only: Only,
    *,
    stop: Event | None = None,
) -> list[Judged]:
    """Ask the gates that judge trees, of all tiers of the changes that lead to the last one's.

    :param only: when not empty, these gates alone, and of each these tests.
    :param stop: once it is set nobody wants the verdicts any more.
    """
    names = _named(context, candidates, "tree")
    if only:
        names = [name for name in names if name in only]
    del stop
    return _judge(context, candidates[-1], names, known, only)


def remember(known: MutableMapping[str, Verdict], verdicts: Iterable[Verdict]) -> None:
    """Add the verdicts that may be reused: green ones. Of several the first stays."""
    for verdict in verdicts:
        if verdict.status == "pass":
            known.setdefault(_key(verdict.gate, verdict.definition, verdict.tree), verdict)


def _key(gate: str, definition: str, tree: str) -> str:
    return f"{gate} {definition} {tree}"


def _named(context: Context, candidates: Sequence[Candidate], judges: str) -> list[str]:
    """Return the gates that the tiers demand, in policy's order; unknown plugins judge trees."""
    names: dict[str, None] = {}
    offered = context.plugins.gates()
    for candidate in candidates:
        for name in required_gates(context.policy, candidate.task.spec.tier):
            registered = offered.get(context.policy.gates[name].plugin)
            about = registered.descriptor.judges if registered else "tree"
            if about == judges:
                names[name] = None
    return list(names)


def _judge(
    context: Context, candidate: Candidate, names: Sequence[str], known: Known, only: Only
) -> list[Judged]:
    judged: list[Judged] = []
    fresh: Path | None = None
    for name in names:
        key = _key(name, gate_definition(context.policy, name), candidate.tree)
        if key in known:
            judged.append(Judged(verdict=known[key], log=b"", reused=True))
            continue
        files = None
        if _wants_files(context, name):
            fresh = fresh or _fresh_place(context.layout.place(candidate.execution.id))
            files = fresh / "tree"
            if not files.exists():
                checkout(context.git, candidate.tree, files, fresh / "index")
        judged.append(_judge_one(context, candidate, name, files, only.get(name, ())))
    if fresh is not None:
        discard(fresh)
        _IN_USE.discard(fresh)
    return judged


def _wants_files(context: Context, name: str) -> bool:
    registered = context.plugins.gates().get(context.policy.gates[name].plugin)
    return registered is not None and registered.descriptor.needs_checkout


def _fresh_place(place: Path) -> Path:
    """Return a new directory: git of a killed run may still be filling, or have locked, the last.

    What cannot be removed for that reason goes with the execution's room.
    """
    for former in place.glob(f"{MERGED}*"):
        if former in _IN_USE:
            continue
        with suppress(CtoError):
            discard(former)
    place.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=MERGED, dir=place))
    _IN_USE.add(fresh)
    return fresh


_IN_USE: set[Path] = set()


def _judge_one(
    context: Context, candidate: Candidate, name: str, files: Path | None, only: tuple[str, ...]
) -> Judged:
    began = context.effects.monotonic_s()
    result = _ask_gate(context, candidate, name, files, only)
    registered = context.plugins.gates().get(context.policy.gates[name].plugin)
    about_change = registered is not None and registered.descriptor.judges == "change"
    verdict = Verdict(
        gate=name,
        status=result.status,
        reason=result.reason,
        tree=candidate.tree,
        definition=gate_definition(context.policy, name),
        detail=result.detail,
        log=context.objects.write_blob(result.log) if result.log else "",
        duration_ms=round((context.effects.monotonic_s() - began) * 1000),
        change=candidate.change if about_change else "",
        executed=result.executed,
        failed=result.failed,
    )
    return Judged(verdict=verdict, log=result.log, reused=False, artifacts=result.artifacts)


def _ask_gate(
    context: Context, candidate: Candidate, name: str, files: Path | None, only: tuple[str, ...]
) -> GateResult:
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
        change=candidate.change,
        patch=partial(patch, context.git, candidate.onto, candidate.tree),
        only=only,
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
    scratch = files.with_name("gate") if files else place / "gate"

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
