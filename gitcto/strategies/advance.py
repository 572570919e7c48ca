"""What a strategy does next: a pure function of its data and of what its steps came to."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gitcto.model.step_records import Step
from gitcto.strategies.records import (
    ASKS,
    Combine,
    Finish,
    GiveUp,
    Move,
    Order,
    Reading,
    Start,
    Strategy,
    StrategyStep,
)
from gitcto.strategies.visit import Visit, cause_of, failure_of

_Stage = tuple[StrategyStep, ...]


def advance(strategy: Strategy, steps: Sequence[Step]) -> Move:
    """Return what to do after ``steps``, all that were started in this attempt so far.

    Total: whatever they say there is a move, and after ``strategy.most_steps`` of them there is
    nothing more to start. An order that nobody can fill is answered with a step that ended at once,
    with a fault and no provider: it takes the next entry of the list that the order came from.
    """
    walk = _Walk(strategy, steps)
    for number in range(1, strategy.rounds + 1):
        move = walk.round(number)
        if move is not None:
            return walk.checked(move)
    return walk.checked(walk.give_up("rejected", f"not approved in {_rounds(strategy.rounds)}"))


def approved(combine: Combine, verdicts: Sequence[str]) -> bool:
    """Tell whether these reviews of one patch approve it; without any, nobody objects."""
    count = verdicts.count("approve")
    if not verdicts:
        return True
    if combine == "any":
        return count > 0
    return count * 2 > len(verdicts) if combine == "majority" else count == len(verdicts)


class _Walk:
    """The way through the stages that the steps so far have gone."""

    def __init__(self, strategy: Strategy, steps: Sequence[Step]) -> None:
        self._strategy = strategy
        self._rest = deque(sorted(steps, key=lambda ran: ran.number))
        self._said: list[str] = []
        self._out: set[str] = set()
        self._avoid: dict[str, tuple[str, ...]] = {}
        self._last: dict[str, Step] = {}
        self._patches: dict[str, Step] = {}
        self._approved: set[str] = set()
        self._judged = False

    def round(self, number: int) -> Move | None:
        """Go through one round; None when what it wrote was rejected."""
        if number > 1:
            self._said.append(f"round {number}")
            self._patches = {}
        for stage in self._strategy.stages[0 if number == 1 else self._strategy.again :]:
            move = self._pass(stage, "first" if number == 1 else f"round {number}")
            if move is not None:
                return move
            if not self._patches and stage[0].kind == "write":
                return self.give_up("no_work", "every writer was left out")
            if not self._patches and stage[0].judges:
                return None
        seat = next(iter(self._patches))
        if self._judged and seat not in self._approved:
            return self.give_up("unapproved", "who rejected it before was left out now")
        return Finish(seat=seat, path=self._path)

    def checked(self, move: Move) -> Move:
        """Return the move, unless there are steps that this strategy would not have started."""
        if not self._rest:
            return move
        name = self._rest[0].name
        detail = f"step {name} is not what strategy {self._strategy.name} would have started"
        return self.give_up("strategy_changed", detail)

    def give_up(self, reason: str, detail: str) -> GiveUp:
        """Return the end of an attempt that another one may well better."""
        return GiveUp(reason=reason, detail=detail, path=self._path)

    @property
    def _path(self) -> str:
        return "; ".join(self._said)

    def _pass(self, stage: _Stage, why: str) -> Move | None:
        """Return the move within a stage, or None when it is behind us."""
        visits = {step.name: Visit(step, why) for step in stage if self._takes_part(step)}
        while self._rest and self._rest[0].name in visits:
            if not visits[self._rest[0].name].takes:
                break
            self._take(visits[self._rest[0].name], self._rest.popleft())
        running = any(visit.running for visit in visits.values())
        stopped = next((visit for visit in visits.values() if visit.action == "stop"), None)
        if stopped is not None:
            return Start() if running else self._stopped(stopped)
        orders = tuple(self._order(visit) for visit in visits.values() if visit.takes)
        if orders or running:
            return Start(orders)
        self._settle(list(visits.values()))
        return None

    def _takes_part(self, step: StrategyStep) -> bool:
        if step.name in self._out:
            return False
        return step.kind != "review" or any(seat in self._patches for seat in step.judged)

    def _take(self, visit: Visit, ran: Step) -> None:
        self._judged = self._judged or bool(ran.verdict)
        said = visit.take(ran, good=self._is_good(visit.step, ran))
        if said:
            self._said.append(said)
        if not ran.runs and not visit.good and visit.avoided:
            failed = dict.fromkeys((*self._avoid.get(visit.step.name, ()), visit.avoided))
            self._avoid[visit.step.name] = tuple(failed)

    def _is_good(self, step: StrategyStep, ran: Step) -> bool:
        """Tell whether a step did what it was asked for; a judge must speak of what it read."""
        if ran.fault is not None:
            return False
        if not step.judges:
            return True
        if ran.verdict not in ("approve", "reject"):
            return False
        if step.kind == "adjudicate" and ran.verdict == "approve":
            return self._has_read(ran, ran.chosen)
        return all(self._has_read(ran, seat) for seat in step.judged if seat in self._patches)

    def _has_read(self, ran: Step, seat: str) -> bool:
        """Tell whether it read the patch that now is in a seat, and no other one."""
        patch = self._patches.get(seat)
        return patch is not None and ran.reads.get(seat) == patch.commit

    def _order(self, visit: Visit) -> Order:
        step = visit.step
        avoid = self._avoid.get(step.name, ())
        before = self._last.get(step.name) if step.kind == "write" else None
        goes_on = before is not None and before.provider not in avoid
        given = self._given(step)
        return Order(
            step=step.name,
            role=step.role,
            seat=step.seat or step.name,
            edits=step.kind == "write",
            reads=tuple(reading.seat for reading in given if reading.what == "patch"),
            given=given,
            asks=ASKS[step.kind],
            why=visit.why,
            session_of=step.name if goes_on else "",
            avoid=avoid,
        )

    def _given(self, step: StrategyStep) -> tuple[Reading, ...]:
        found = []
        for source in step.reads:
            there = (self._patches if source.what == "patch" else self._last).get(source.of)
            if source.what == "task":
                found.append(Reading(what="task"))
            elif there is not None:
                seat = source.of if source.what == "patch" else ""
                found.append(Reading(what=source.what, seat=seat, number=there.number))
        return tuple(found)

    def _settle(self, visits: Sequence[Visit]) -> None:
        """Take over what the steps of a stage came to."""
        for visit in visits:
            if visit.good is None:
                self._out.add(visit.step.name)
                continue
            self._last[visit.step.name] = visit.good
            if visit.step.kind == "write":
                self._written(visit.step.seat, visit.good)
        judged = [visit for visit in visits if visit.good is not None and visit.step.judges]
        for seat in tuple(self._patches):
            verdicts = [_verdict(v, seat) for v in judged if seat in v.step.judged]
            if not approved(self._strategy.combine, verdicts):
                del self._patches[seat]
            elif verdicts:
                self._approved.add(seat)

    def _written(self, seat: str, ran: Step) -> None:
        """Note a new patch; what was found in the one before says nothing about it."""
        self._patches[seat] = ran
        self._approved.discard(seat)
        for step in self._strategy.steps:
            if step.judges and seat in step.judged:
                self._last.pop(step.name, None)

    def _stopped(self, visit: Visit) -> GiveUp:
        ran = cause_of(visit.failed)
        failure, detail = failure_of(ran), ran.fault.detail if ran.fault else ""
        what = f"{visit.step.name} by {ran.provider or 'nobody'}: {failure}"
        return GiveUp(
            reason="step_failed" if ran.fault else failure,
            detail=f"{what}: {detail}" if detail else what,
            path=self._path,
            retryable=ran.fault is None or ran.fault.retryable,
            step=ran.number,
        )


def _verdict(visit: Visit, seat: str) -> str:
    """Return what a judge says of one patch: choosing one rejects the others."""
    ran = visit.good
    if ran is None:
        return "none"
    chosen = visit.step.kind != "adjudicate" or ran.chosen == seat
    return ran.verdict if chosen else "reject"


def _rounds(count: int) -> str:
    return "1 round" if count == 1 else f"{count} rounds"
