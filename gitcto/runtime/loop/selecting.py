"""Choosing who does a step: the facts are put together here, policy decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gitcto.model.circuit_rules import resting
from gitcto.model.commands import BlockTask
from gitcto.model.provider_records import Admission
from gitcto.model.records import TaskSpec, Team
from gitcto.policy.decisions import Attempt
from gitcto.policy.eligibility import Asked, Selection, select
from gitcto.policy.eligibility_rule import Candidate
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.installed import Installed
from gitcto.runtime.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A step of a strategy: the ``part`` that does it, and whether it ``edits``.

    ``asked`` are the providers that may fill that part, in order (none: those that have earned to
    be the default). ``wrote`` are the providers whose work it judges: they may not; ``avoid`` says
    of providers why the strategy has given up on them.
    """

    task: TaskSpec
    execution: str
    epoch: int
    strategy: str
    step: str
    part: str
    edits: bool
    asked: tuple[str, ...]
    wrote: tuple[str, ...] = ()
    avoid: Mapping[str, str] = field(default_factory=dict)


def selection(book: Book, wanted: Wanted, base: str) -> Selection:
    """Return who does a step, or why nobody may; ``base`` is the commit that it works on."""
    world, team = book.world, book.state.team
    now_ms = world.effects.now_ms()
    found = world.agents.found(wanted.asked or tuple(world.policy.providers))
    attempt = Attempt(
        actor=world.holder,
        team=world.team,
        task=wanted.task,
        execution=wanted.execution,
        epoch=wanted.epoch,
    )
    asked = Asked(
        attempt=attempt,
        strategy=wanted.strategy,
        step=wanted.step,
        part=wanted.part,
        asked=wanted.asked,
        edits=wanted.edits,
        engines=world.agents.engines,
        wrote=wanted.wrote,
        providers={
            name: replace(
                _candidate(world, team, name, installed, base),
                avoid=wanted.avoid.get(name, ""),
                circuit=resting(book.state, name, wanted.execution, now_ms),
            )
            for name, installed in found.items()
        },
    )
    return select(world.policy, asked)


def ineligible(task: str, denied: Selection) -> BlockTask:
    """Return the command that takes a task out of the queue which nobody may do."""
    missing = denied.decision.rule.startswith("providers.")
    reason = "provider_unavailable" if missing else "not_eligible"
    return BlockTask(task=task, reason=reason, decision=denied.decision)


def _candidate(
    world: World, team: Team | None, name: str, installed: Installed, base: str
) -> Candidate:
    admission = admission_of(team, name, installed.plugin)
    staged = team.stages.get(name) if team else None
    return Candidate(
        plugin=installed.plugin,
        shipped=installed.shipped,
        gated=installed.gated,
        unavailable=installed.unavailable,
        backend=installed.digest,
        admission=admission.id if admission else "",
        admitted=admission.digest if admission else "",
        mode=admission.mode if admission else "edit",
        boundary=_bounded(world, admission, base) if admission else "",
        stage=staged.stage if staged and staged.plugin == installed.plugin else "",
    )


def admission_of(team: Team | None, name: str, plugin: str) -> Admission | None:
    """Return the admission in force of a provider, as this plugin runs it."""
    admission = team.admissions.get(name) if team else None
    if admission is None or admission.revoked or admission.plugin != plugin:
        return None
    return admission


def _bounded(world: World, admission: Admission, base: str) -> str:
    """Return what of this repository an admission rules out: its class, its place, or its files."""
    kind = world.policy.eligibility.repository
    if kind in admission.boundary:
        return kind
    return world.agents.bounded(admission.boundary, base) if admission.boundary else ""
