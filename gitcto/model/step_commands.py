"""Commands about the steps of an execution. All quote its fencing token."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.records import Decision
from gitcto.model.step_records import MAIN_SEAT, Asks, StepVerdict


class StartStep(Struct, frozen=True, kw_only=True):
    """Run an agent next, as step ``number``; ``max_workers`` is policy's limit for the team."""

    execution: str
    epoch: int
    number: int
    name: str
    role: str
    provider: str
    max_workers: int
    seat: str = MAIN_SEAT
    edits: bool = True
    asks: Asks = "work"
    reads: dict[str, str] = {}
    told: tuple[int, ...] = ()
    session_of: int = 0
    replaces: int = 0
    why: str = ""
    backend: str = ""
    decision: Decision | None = None


class EndStep(Struct, frozen=True, kw_only=True):
    """A step's processes are gone; see :class:`gitcto.model.step_events.StepEnded`."""

    execution: str
    epoch: int
    number: int
    fault: Fault | None = None
    verdict: StepVerdict = ""
    findings: str = ""
    change: str = ""
    chosen: str = ""
    commit: str = ""
    tree: str = ""
    changed: int = 0
    session: str = ""
    usage: Usage = Usage()


StepOutcome = StartStep | EndStep
"""Commands about steps."""
