"""A team in memory whose tasks are leased, started and ended at given times."""

from __future__ import annotations

from typing import Any

from gitcto.model import commands as cmd
from gitcto.model.agent_records import Fault, Usage
from gitcto.model.circuit_records import Circuit
from gitcto.model.codec import Event
from gitcto.model.decide import decide
from gitcto.model.evolve import evolve
from gitcto.model.records import Decision, TaskSpec, Team
from gitcto.model.state import State
from gitcto.model.step_commands import EndStep, StartStep

ALLOW = Decision(
    action="x",
    resource="y",
    subject="z",
    rule="r",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)
S = 1000
QUOTA = Fault(kind="quota", detail="no more today", retry_after_s=60, retryable=False)
AUTH = Fault(kind="auth", detail="the key is wrong", retryable=False)
FOR_EVER = 1 << 50


class Story:
    """A team of tasks ``A``, ``B``, ``C`` …; each is told by commands at times in milliseconds."""

    def __init__(self) -> None:
        self.state = State()
        self.kinds: list[str] = []
        self._seq = 0
        specs = tuple(TaskSpec(id=name, title=name) for name in "ABCDE")
        assert not self.send(0, cmd.CreateTeam(team="demo", target="refs/heads/x"))
        assert not self.send(0, cmd.ImportPlan(source="x", digest="y", tasks=specs))

    @property
    def team(self) -> Team:
        """The team."""
        assert self.state.team is not None
        return self.state.team

    @property
    def circuit(self) -> Circuit | None:
        """The circuit of provider ``p``."""
        return self.team.circuits.get("p")

    def send(self, at: int, *commands: cmd.SingleCommand) -> str:
        """Record commands as one transaction; return the code of a refusal, or nothing."""
        answer = decide(self.state, cmd.Together(commands), at)
        if isinstance(answer, cmd.Refusal):
            return answer.code
        self.kinds = []
        for body in answer:
            self._seq += 1
            event = Event(id=str(self._seq), ts=at, actor="t", prev="", v=body.VERSION, body=body)
            self.kinds.append(event.kind)
            self.state.put(evolve(self.state, event, self._seq))
        return ""

    def begin(self, at: int, task: str, provider: str = "p") -> str:
        """Lease a task and start its first step; the execution is called as the task and number."""
        number = self.state.tasks[task].attempts + 1
        execution = f"{task}{number}"
        epoch = self.state.tasks[task].epoch + 1
        lease = cmd.Lease(
            task=task,
            execution=execution,
            base="b",
            provider=provider,
            role="developer",
            workspace="clone",
            holder="h",
            expires_ms=FOR_EVER,
            max_workers=6,
            decision=ALLOW,
        )
        return self.send(at, lease, self.step(execution, epoch, 1, provider))

    @staticmethod
    def step(execution: str, epoch: int, number: int, provider: str = "p") -> StartStep:
        """Return the command that starts a step."""
        return StartStep(
            execution=execution,
            epoch=epoch,
            number=number,
            name="write",
            role="developer",
            provider=provider,
            max_workers=6,
        )

    def end(self, at: int, task: str, fault: Fault | None = None, **fields: Any) -> str:
        """End the first step of a task, and its execution with it when there was a fault."""
        x = self.state.executions[self.state.tasks[task].execution]
        usage = fields.pop("usage", Usage())
        ended = EndStep(
            execution=x.id, epoch=x.epoch, number=len(x.steps), fault=fault, usage=usage
        )
        if fault is None:
            return self.send(at, ended)
        return self.send(at, ended, self.failure(task, fault.kind, **fields))

    def failure(self, task: str, fault: str = "", **fields: Any) -> cmd.FailExecution:
        """Return the command that fails the execution of a task."""
        x = self.state.executions[self.state.tasks[task].execution]
        given: dict[str, Any] = {
            "execution": x.id,
            "epoch": x.epoch,
            "reason": f"worker_{fault}" if fault else "interrupted",
            "detail": "",
            "charged": False,
            "max_attempts": 3,
            "fault": fault,
            "max_faults": 4,
        }
        return cmd.FailExecution(**(given | fields))
