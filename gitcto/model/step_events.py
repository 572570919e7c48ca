"""The events of an execution's steps."""

from __future__ import annotations

from msgspec import field

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.body import Body
from gitcto.model.records import Decision
from gitcto.model.step_records import MAIN_SEAT, Asks, StepVerdict


class StepStarted(Body, frozen=True, kw_only=True, tag_field="kind", tag="step.started"):
    """The intent to run an agent once; see :class:`gitcto.model.step_records.Step`.

    The first one of an execution is in the transaction of its ``execution.leased``. ``decision``
    is why this provider may do it.
    """

    execution: str
    epoch: int
    number: int
    name: str
    role: str
    provider: str
    seat: str = MAIN_SEAT
    edits: bool = True
    asks: Asks = "work"
    reads: dict[str, str] = field(default_factory=dict)
    told: tuple[int, ...] = ()
    session_of: int = 0
    replaces: int = 0
    why: str = ""
    backend: str = ""
    decision: Decision | None = None


class StepEnded(Body, frozen=True, kw_only=True, tag_field="kind", tag="step.ended"):
    """Nothing of a step's processes is left, and this came of it.

    The last one of an execution is in the transaction of its ``execution.exited``.
    """

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


StepEventBody = StepStarted | StepEnded
"""Every kind of event about steps."""
