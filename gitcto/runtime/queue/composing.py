"""Writing what lands: one commit and one bundle of evidence for each change of a green run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitcto.policy.gates import required_gates
from gitcto.runtime.core.jobs import Job
from gitcto.runtime.core.judged import Judged
from gitcto.runtime.core.queue_messages import Written
from gitcto.runtime.core.queue_values import Composed, Entry, Member
from gitcto.runtime.core.world import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCompose:
    """A green run: the changes that are new on ``onto``, and what gates said of their tree."""

    number: int
    onto: str
    layers: tuple[Entry, ...]
    judged: tuple[Judged, ...]

    @property
    def tree(self) -> str:
        """The tree that was judged: all the changes together."""
        return self.layers[-1].candidate.tree


def compose(bench: Bench, request: ToCompose) -> Composed:
    """Write evidence and commits for a green run, each commit on the one before."""
    first = request.layers[0].candidate.onto
    fits = first == request.onto or bench.tree_of(first) == bench.tree_of(request.onto)
    members: list[Member] = []
    parent = request.onto
    for layer in request.layers if fits else ():
        members.append(_member(bench, request, layer, parent))
        parent = members[-1].commit
        if not parent:
            break
    return Composed(
        number=request.number,
        onto=request.onto,
        tree=request.tree,
        members=tuple(members),
        fits=fits,
    )


def composing(bench: Bench, request: ToCompose) -> Job:
    """Return the job that composes a landing."""
    return lambda post: post(Written(composed=compose(bench, request)))


def _member(bench: Bench, request: ToCompose, layer: Entry, parent: str) -> Member:
    candidate = replace(layer.candidate, onto=parent)
    demanded = required_gates(bench.policy, candidate.task.spec.tier)
    judged = [one for one in (*layer.judged, *request.judged) if one.verdict.gate in demanded]
    evidence, unwritten = bench.bundle(candidate, judged, request.tree)
    return Member(
        execution=layer.id,
        commit="" if unwritten else bench.landing_commit(candidate, evidence),
        change=candidate.change,
        evidence=evidence,
        verdicts=tuple(one.verdict for one in judged),
        unwritten=unwritten,
    )
