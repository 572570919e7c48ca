"""Writing what lands: one commit and one bundle of evidence for each change of a green run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitcto.model.records import Landing, Verdict
from gitcto.policy.gates import required_gates
from gitcto.runtime.core.jobs import Job
from gitcto.runtime.core.judged import Judged
from gitcto.runtime.core.queue_messages import Written
from gitcto.runtime.core.world import Bench
from gitcto.runtime.queue.admission import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One change that lands: its own commit, its evidence, and the verdicts its tier demands.

    ``unwritten`` says why there is no evidence, and so no commit; then nothing lands.
    """

    execution: str
    change: str
    verdicts: tuple[Verdict, ...]
    commit: str = ""
    evidence: str = ""
    unwritten: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What landing run ``number`` on the commit ``onto`` means; ``tree`` is what was judged.

    It ``fits`` unless merging what is below gave another tree than the one that landed.
    """

    number: int
    onto: str
    tree: str
    members: tuple[Member, ...]
    fits: bool = True

    @property
    def unwritten(self) -> Member | None:
        """The change for which there is no evidence; nothing lands then."""
        return next((member for member in self.members if member.unwritten), None)

    @property
    def items(self) -> tuple[str, ...]:
        """The executions whose changes are new on the target, in their order."""
        return tuple(member.execution for member in self.members)

    def landing(self, target: str, member: Member) -> Landing:
        """Return a member's landing: all of them move the target from and to the same commits."""
        return Landing(
            target=target,
            old=self.onto,
            new=self.members[-1].commit,
            tree=self.tree,
            evidence=member.evidence,
            commit=member.commit,
            change=member.change,
            run=self.number,
        )


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
