"""A strategy as a picture in text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gitcto.strategies.records import Action, Strategy, StrategyStep

_HOW = {"all": "all approve", "any": "one approves", "majority": "most approve"}


def picture(strategy: Strategy) -> tuple[str, ...]:
    """Return the steps from top to bottom, those at the same time side by side with a bar."""
    return tuple(_lines(strategy))


def failure_lines(strategy: Strategy) -> tuple[str, ...]:
    """Return what is done about failures, one line for each step that does not just stop."""
    return tuple(
        f"{step.name}: {_ladders(step)}" for step in strategy.steps if any(step.failures.values())
    )


def _lines(strategy: Strategy) -> Iterator[str]:
    names = max(len(step.name) for step in strategy.steps)
    roles = max(len(step.role) for step in strategy.steps)
    for number, stage in enumerate(strategy.stages, 1):
        if number > 1:
            yield "    |"
        for place, step in enumerate(stage):
            mark = str(number) if place == 0 else " "
            bar = "|" if len(stage) > 1 else " "
            what = f"{step.name:<{names}}  {step.role:<{roles}}"
            yield f"{mark:>3} {bar} {what}  {_does(step)}".rstrip()
        if stage[0].judges:
            yield f"      {_rejected(strategy, stage)}"
    yield "    v"
    yield f"      the patch of {' or '.join(strategy.seats)}"


def _rejected(strategy: Strategy, stage: tuple[StrategyStep, ...]) -> str:
    seats = {seat for step in stage for seat in step.judged}
    together = len(stage) > len(seats)
    what = "every patch rejected" if len(seats) > 1 else "rejected"
    how = f" (approved when {_HOW[strategy.combine]})" if together else ""
    if strategy.rounds == 1:
        return f"{what}: the attempt has failed{how}"
    return f"{what}: again from {strategy.again + 1}, {strategy.rounds} rounds at most{how}"


def _does(step: StrategyStep) -> str:
    reads = ", ".join(map(str, step.reads)) or "nothing"
    verb = {"write": f"writes in {step.seat}, reads", "plan": "plans, reads"}
    return f"{verb.get(step.kind, f'{step.kind}s, reads')} {reads}"


def _ladders(step: StrategyStep) -> str:
    by_ladder: dict[tuple[Action, ...], list[str]] = {}
    for failure, ladder in step.failures.items():
        if ladder:
            by_ladder.setdefault(ladder, []).append(failure)
    told = (f"{', '.join(which)}: {_ladder(ladder)}" for ladder, which in by_ladder.items())
    return "; ".join(told)


def _ladder(ladder: tuple[Action, ...]) -> str:
    return ", then ".join((*ladder, "stop") if ladder[-1] not in ("degrade", "stop") else ladder)
