"""One step in one round: its tries, and what is done about those that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitcto.model.step_records import Step
from gitcto.strategies.records import DEFAULT, NO_VERDICT, Action, StrategyStep

_DONE_ABOUT: Mapping[Action, str] = {
    "retry": "asked again",
    "other provider": "another provider was asked",
    "degrade": "left out",
    "stop": "given up",
}

_LAST: Action = "stop"


def failure_of(ran: Step) -> str:
    """Return the class of a failure, as policy and people call it."""
    return ran.fault.kind if ran.fault else NO_VERDICT


def action_for(step: StrategyStep, failed: Sequence[Step]) -> Action:
    """Return what is done about the last of these failures.

    Each failure takes the next entry of its class's list. What cannot be mended by asking again is
    not asked again, and a judge that gave no verdict is never left out.
    """
    key = _key(step, failed[-1])
    ladder = step.failures.get(key, ())
    rung, action = 0, _LAST
    for ran in failed:
        if _key(step, ran) != key:
            continue
        futile = ran.fault is not None and not ran.fault.retryable
        while futile and rung < len(ladder) and ladder[rung] == "retry":
            rung += 1
        action = ladder[rung] if rung < len(ladder) else _LAST
        rung += 1
    return _LAST if action == "degrade" and failed[-1].fault is None else action


def _key(step: StrategyStep, ran: Step) -> str:
    failure = failure_of(ran)
    return failure if failure in step.failures else DEFAULT


class Visit:
    """The tries of one step in one round, oldest first."""

    def __init__(self, step: StrategyStep, why: str) -> None:
        self.step = step
        self.why = why
        self.running = False
        self.good: Step | None = None
        self.action: Action | None = None
        self.failed: list[Step] = []

    @property
    def over(self) -> bool:
        """Whether nothing more is to be started for it."""
        return self.good is not None or self.action in ("degrade", "stop")

    @property
    def takes(self) -> bool:
        """Whether a further try can be its."""
        return not self.running and not self.over

    def take(self, ran: Step, *, good: bool) -> str:
        """Add a try, and return what to say of it (nothing while it runs)."""
        who = f"{self.step.name} by {ran.provider or 'nobody'}"
        if ran.runs:
            self.running = True
            return ""
        if good:
            self.good = ran
            return f"{who}: {self._outcome(ran)}"
        self.failed.append(ran)
        self.action = action_for(self.step, self.failed)
        failure = failure_of(ran)
        self.why = f"{self.action} after {failure}"
        return f"{who}: {failure}, {_DONE_ABOUT[self.action]}"

    def _outcome(self, ran: Step) -> str:
        if ran.verdict == "reject":
            return "rejected"
        if self.step.kind == "adjudicate":
            return f"chose {ran.chosen}"
        return "approved" if self.step.judges else "done"
