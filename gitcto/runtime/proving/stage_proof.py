"""What a provider has proved: landed executions, each proved again from its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitcto.errors import CtoError
from gitcto.git.objects import Objects
from gitcto.model.records import Decision, Execution, Task, TaskState, Team
from gitcto.policy.eligibility_rule import from_fact
from gitcto.policy.facts import BadFactError
from gitcto.policy.stages import Promotion
from gitcto.runtime.proving.proof import prove
from gitcto.store import bundle
from gitcto.store.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What must be proved: the program with this ``digest``, as ``plugin`` runs it."""

    plugin: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What ledgers say of an engine.

    ``landed`` are the executions that prove it; ``refused`` says of others why they do not, and
    ``failed`` which ones forbid the promotion.
    """

    landed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __add__(self, other: Proved) -> Proved:
        """Return both together; an execution counts once."""
        return Proved(
            landed=tuple(dict.fromkeys((*self.landed, *other.landed))),
            refused=(*self.refused, *other.refused),
            failed=tuple(dict.fromkeys((*self.failed, *other.failed))),
        )


def proved_in(ledger: Ledger, engine: Engine, asks: Promotion) -> Proved:
    """Return what one team's ledger proves of an engine, for a promotion that asks for it.

    Nothing recorded is believed: an execution counts when everything about its task is proved again
    from git's objects, its evidence is whole and has what is asked for, and the decision that let
    it work there (:mod:`gitcto.policy.eligibility`) was about exactly this program.
    """
    landed, refused, failed = [], [], []
    for task in ledger.tasks():
        for execution in ledger.executions(task.spec.id):
            if not _is_by(ledger, execution, engine, asks.where):
                continue
            if execution.state is TaskState.FAILED and execution.reason in asks.failure_modes:
                failed.append(f"{execution.id} ({execution.reason})")
            elif execution.id == task.execution and task.state is TaskState.DONE:
                problem = _problem(ledger, task, execution, asks)
                if problem:
                    refused.append(f"{execution.id}: {problem}")
                else:
                    landed.append(execution.id)
    return Proved(landed=tuple(landed), refused=tuple(refused), failed=tuple(failed))


def compared_well(team: Team | None, name: str, engine: Engine, asks: Promotion) -> str:
    """Return why the recorded comparison does not do, or nothing when it does or none is asked."""
    if not asks.compared_with:
        return ""
    comparison = team.comparisons.get(name) if team else None
    if comparison is None:
        return "no comparison is recorded"
    results = {one.plugin: one for one in comparison.results}
    own = next((one for one in comparison.results if one.provider == name), None)
    if own is None or (own.plugin, own.digest) != (engine.plugin, engine.digest):
        return f"comparison {comparison.id} was of another program"
    if not own.tasks or own.landed < own.tasks:
        return f"in comparison {comparison.id} it landed {own.landed} of {own.tasks} tasks"
    for plugin in asks.compared_with:
        one = results.get(plugin)
        if one is None or one.tasks != own.tasks or not one.attempts:
            return f"comparison {comparison.id} has no run of {plugin} on the same tasks"
    return ""


def _is_by(ledger: Ledger, x: Execution, engine: Engine, where: str) -> bool:
    """Tell whether an execution was this engine's, in a repository of that class."""
    decisions = list(_chosen(ledger, x))
    writers = [each for each in decisions if each.inputs.get("mutation") == "edit"]
    return bool(writers) and all(_is_about(each, engine, where) for each in writers)


def _chosen(ledger: Ledger, x: Execution) -> Iterator[Decision]:
    for stored in ledger.events(task=x.task):
        body = stored.event.body
        decision: Decision | None = getattr(body, "decision", None)
        if getattr(body, "execution", "") != x.id or decision is None:
            continue
        if decision.action == "eligibility" and decision.verdict == "allow":
            yield decision


def _is_about(decision: Decision, engine: Engine, where: str) -> bool:
    inputs = decision.inputs
    try:
        chosen = from_fact(inputs, inputs.get("selected", ""))
    except BadFactError:
        return False
    by = Engine(plugin=chosen.plugin, digest=chosen.backend)
    return by == engine and inputs.get("class") == where


def _problem(ledger: Ledger, task: Task, execution: Execution, asks: Promotion) -> str:
    wrong = next((claim for claim in prove(ledger, task) if not claim.true), None)
    if wrong is not None:
        return f"it cannot be proved that {wrong.text}: {wrong.found}"
    try:
        files = bundle.read(Objects(ledger.repository), execution.evidence)
    except (CtoError, ValueError) as error:
        return f"its evidence cannot be read: {error}"
    missing = sorted(set(asks.artifacts) - files.keys())
    return f"its evidence lacks {', '.join(missing)}" if missing else ""
