"""What the merge queue's jobs speak of: changes that wait, runs that ended, what they compose."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.model.records import Landing, Verdict
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.judged import Judged, Said, failed_of, first_red, said_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change that may wait in the queue: as a candidate, with what its change gates said.

    The candidate is the change on the commit on which it was judged: its own base, or a later tip.
    """

    candidate: Candidate
    judged: tuple[Judged, ...]

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.candidate.execution.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A change that does not go on top of others: a conflict, or it is another change there.

    ``beside`` are the changes it does not go with; none when it does not go on the target's tip by
    itself. ``conflicts`` are paths, and ``landed`` the landings since its base that touched them;
    ``verdicts`` are of change gates that said no to what the change is there. ``entry`` is the
    change as it would be, when persons have to approve that first.
    """

    id: str
    onto: str
    conflicts: tuple[str, ...] = ()
    landed: tuple[str, ...] = ()
    detail: str = ""
    verdicts: tuple[Verdict, ...] = ()
    entry: Entry | None = None
    beside: tuple[str, ...] = ()


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
class Outcome:
    """What a run said of ``tree``, the last of the ``layers`` on the commit ``onto``.

    ``unsound`` names what was red on ``onto`` itself, so that a red of the change proves nothing;
    ``sound`` what was green there. ``base`` is the tree of ``onto`` where that was asked, and
    ``evidence`` the bundle of a single change that was not green.
    """

    onto: str
    tree: str
    layers: tuple[Entry, ...]
    judged: tuple[Judged, ...]
    base: str = ""
    unsound: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    evidence: str = ""
    composed: Composed | None = None

    @property
    def said(self) -> Said:
        """The run's verdict: one red gate makes it red, and one that did not run no green."""
        return said_of(self.judged)

    @property
    def failed(self) -> tuple[str, ...]:
        """What was red, as ``GATE:TEST``."""
        return failed_of(self.judged)

    @property
    def executed(self) -> int:
        """How much was executed: tests where gates know, gates where they do not.

        A tree of which no tier demands anything more than of its changes counts as one.
        """
        return sum(one.verdict.executed or 1 for one in self.judged) or 1

    @property
    def reason(self) -> str:
        """The first gate that did not pass and why, as ``GATE:REASON``; nothing when all did."""
        first = first_red(self.judged)
        return f"{first.verdict.gate}:{first.verdict.reason}" if first else ""
