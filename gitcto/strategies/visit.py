"""One step in one round: its tries, and what is done about those that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitcto.model.circuit_records import is_terminal
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


def cause_of(failed: Sequence[Step]) -> Step:
    """Return the last of these failures that an agent met; that nobody was found is none."""
    return next((ran for ran in reversed(failed) if ran.provider), failed[-1])


def ladder_after(step: StrategyStep, failed: Sequence[Step]) -> tuple[Action, ...]:
    """Return what is done about the last of these failures and about further ones like it.

    Each failure takes the next entry of its class's list, and so does an order that nobody could
    fill, of the list that it came from. What asking again cannot mend is not asked again.
    """
    classes: list[str] = []
    for ran in failed:
        classes.append(_key(step, ran) if ran.provider or not classes else classes[-1])
    ladder, rung = step.failures.get(classes[-1], ()), 0
    for ran, failure in zip(failed, classes, strict=True):
        if failure == classes[-1]:
            while rung < len(ladder) and ladder[rung] in _futile(ran):
                rung += 1
            rung += 1
    return ladder[rung - 1 :] or (_LAST,)


def action_for(step: StrategyStep, failed: Sequence[Step]) -> Action:
    """Return what is done about the last of these failures.

    A judge that gave no verdict is never left out, whatever came after.
    """
    action = ladder_after(step, failed)[0]
    unsaid = any(ran.fault is None for ran in failed)
    return _LAST if action == "degrade" and unsaid else action


def _futile(ran: Step) -> tuple[Action, ...]:
    """Return what would come to the same again."""
    if not ran.provider:
        return ("retry", "other provider")
    return ("retry",) if ran.fault is not None and not ran.fault.retryable else ()


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
    def avoided(self) -> str:
        """The provider that the next try of it, by another one, is not given to; empty for none.

        One that ran dry is kept away by its circuit, for as long as that is open: the step waits
        for it, unless there is something else to do about it than to give up.
        """
        last = self.failed[-1] if self.failed else None
        if last is None or self.action != "other provider":
            return ""
        dry = is_terminal(last.fault) and "degrade" not in ladder_after(self.step, self.failed)
        return "" if dry else last.provider

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
