"""What a check remembers of a ledger: a fold of its own, so that it shares no mistake with ours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gitcto.model.records import Landing, TeamMode, Verdict

WORKING = frozenset({"leased", "started", "exited"})
"""Stages in which steps of an execution may run."""


@dataclass(slots=True, kw_only=True)
class TaskSeen:
    """A task: ``ended`` is how, when it is over.

    ``unlucky`` counts failures that were not its fault, since it was last asked for.
    """

    needs: tuple[str, ...]
    epoch: int = 0
    attempts: int = 0
    execution: str = ""
    ended: str = ""
    unlucky: int = 0


@dataclass(slots=True, kw_only=True)
class ExecutionSeen:
    """An execution. ``stage`` is leased, started, exited, harvested, intended or over.

    ``steps`` is the number of the last step, ``seats`` are those in which steps run, by number, and
    ``running`` their providers; ``said`` the verdicts that steps gave, ``tokens`` what ended ones
    used.
    """

    task: str
    epoch: int
    holder: str
    base: str
    expires_ms: int
    stage: str = "leased"
    done: bool = False
    reason: str = ""
    work: str = ""
    changed: int = 0
    at: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    blocked: bool = False
    landing: Landing | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    asked: str = ""
    needed: int = 0
    approved: set[str] = field(default_factory=set)
    denied: bool = False
    steps: int = 0
    seats: dict[int, str] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    running: dict[int, str] = field(default_factory=dict)
    tokens: int = 0

    def fork(self) -> ExecutionSeen:
        """Return a copy that goes its own way."""
        return replace(
            self,
            kept=dict(self.kept),
            given_up=dict(self.given_up),
            verdicts=dict(self.verdicts),
            approved=set(self.approved),
            seats=dict(self.seats),
            said=set(self.said),
            running=dict(self.running),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitSeen:
    """A provider that rests until a time (0: until a person says so), and who tries it."""

    until_ms: int
    probe: str = ""


@dataclass(slots=True)
class Seen:
    """A team as its events show it. ``swaps`` says of each landing's new tip what came of it.

    ``used`` is what each provider's ended runs come to: how many, tokens, millionths of a dollar.
    """

    target: str = ""
    mode: TeamMode = TeamMode.RUNNING
    queue_paused: bool = False
    tasks: dict[str, TaskSeen] = field(default_factory=dict)
    executions: dict[str, ExecutionSeen] = field(default_factory=dict)
    live: dict[str, None] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    landed: dict[str, str] = field(default_factory=dict)
    swaps: dict[str, str] = field(default_factory=dict)
    known_tips: set[str] = field(default_factory=set)
    effects: dict[str, str] = field(default_factory=dict)
    wasted: int = 0
    circuits: dict[str, CircuitSeen] = field(default_factory=dict)
    used: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def fork(self) -> Seen:
        """Return a copy that goes its own way."""
        return replace(
            self,
            tasks={name: replace(task) for name, task in self.tasks.items()},
            executions={name: x.fork() for name, x in self.executions.items()},
            live=dict(self.live),
            nonces=set(self.nonces),
            landed=dict(self.landed),
            swaps=dict(self.swaps),
            known_tips=set(self.known_tips),
            effects=dict(self.effects),
            circuits=dict(self.circuits),
            used=dict(self.used),
        )

    def workers(self, but: str = "") -> int:
        """Return how many workers there are or are about to be, but for those of an execution."""
        found = (self.executions[name] for name in self.live if name != but)
        return sum(len(x.seats) if x.steps else 1 for x in found if x.stage in WORKING)

    def move(self, execution: str, stage: str, **changes: Any) -> None:
        """Put an execution into another stage."""
        x = self.executions.get(execution)
        if x is None:
            return
        x.stage = stage
        for name, value in changes.items():
            setattr(x, name, value)
        if stage == "over":
            self.live.pop(execution, None)


def clone_of(holder: str) -> str:
    """Return the clone that a holder's name tells of (``actor/clone/run``), or nothing."""
    parts = holder.rsplit("/", 2)
    return parts[1] if len(parts) == len(("actor", "clone", "run")) else ""
