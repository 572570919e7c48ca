"""Killing ``git cto`` wherever it can die, and asking afterwards for all that it promises.

A flow is a few commands of a person in small real repositories (:mod:`.flows`, a table). A process
that runs one of them hears every moment before it changes something durable (:mod:`.points`), and
kills itself with ``SIGKILL`` at one. The same command is then done again, by an ordinary process,
and everything after it; then git, the disk, the process table and the ledger are asked for the five
promises (:mod:`.promises`). ``python -m gitcto.testing.crash_points`` does it for all.
"""

from gitcto.testing.crash_points.campaign import Told, Wanted, campaign
from gitcto.testing.crash_points.driver import Case, Result, Stage
from gitcto.testing.crash_points.flow import Flow, Planned, Step
from gitcto.testing.crash_points.flows import FLOWS
from gitcto.testing.crash_points.process import Death

__all__ = [
    "FLOWS",
    "Case",
    "Death",
    "Flow",
    "Planned",
    "Result",
    "Stage",
    "Step",
    "Told",
    "Wanted",
    "campaign",
]
