"""What is wrong with a strategy as a whole: nothing that passes can contradict itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from gitcto.strategies.records import NO_VERDICT, Source, Strategy, StrategyStep

MAX_STEPS = 12
"""Most steps of a strategy."""


class Complaint(NamedTuple):
    """Something wrong with the step at ``place`` (-1: with the whole), and the key it is about."""

    place: int
    key: str
    message: str


def complaints(strategy: Strategy) -> Iterator[Complaint]:
    """Yield every contradiction; an engine that runs a strategy without one always ends."""
    steps = strategy.steps
    if not 0 < len(steps) <= MAX_STEPS:
        yield Complaint(-1, "step", f"a strategy has 1 to {MAX_STEPS} tables [[step]]")
        return
    if all(step.kind != "write" for step in steps):
        yield Complaint(-1, "step", "no step writes, so there would be nothing to land")
        return
    for name, count in Counter(step.name for step in steps).items():
        if count > 1:
            place = max(n for n, step in enumerate(steps) if step.name == name)
            yield Complaint(place, "name", f'"{name}" is the name of another step')
            return
    yield from _whole(strategy)
    for number, stage in enumerate(strategy.stages):
        for step in stage:
            place = steps.index(step)
            for key, message in _step(strategy, step, number):
                yield Complaint(place, key, message)


def _whole(strategy: Strategy) -> Iterator[Complaint]:
    seats = {step.seat for step in strategy.steps if step.seat}
    judges = [step for step in strategy.steps if step.judges]
    choosing = [step for step in judges if step.kind == "adjudicate"]
    if seats and "main" not in seats:
        yield Complaint(-1, "step", 'a strategy that writes needs a writer with seat = "main"')
    if len(seats) > 1 and not choosing:
        yield Complaint(-1, "step", "two seats need a step that adjudicates between them")
    if strategy.rounds > 1 and not judges:
        yield Complaint(-1, "rounds", '"rounds" needs a step that judges')
    if strategy.rounds > 1 and judges and not _learns(strategy):
        yield Complaint(-1, "rounds", '"rounds" is above 1, and no writer reads findings')
    for seat in sorted(seats) if judges else ():
        if not _judged_at_last(strategy, seat):
            yield Complaint(-1, "step", f'nobody judges what is written last in seat "{seat}"')
    groups = [stage[0].group for stage in strategy.stages if stage[0].group]
    for group in {group for group in groups if groups.count(group) > 1}:
        yield Complaint(-1, "step", f'the steps of group "{group}" must follow each other')
    for role in strategy.roles:
        if all(step.role != role for step in strategy.steps):
            yield Complaint(-1, "roles", f'no step has the role "{role}"')


def _learns(strategy: Strategy) -> bool:
    writers = (step for step in strategy.steps if step.kind == "write")
    return any(source.what == "findings" for step in writers for source in step.reads)


def _judged_at_last(strategy: Strategy, seat: str) -> bool:
    about = [step for step in strategy.steps if step.seat == seat or seat in step.judged]
    return bool(about) and about[-1].judges


def _step(strategy: Strategy, step: StrategyStep, stage: int) -> Iterator[tuple[str, str]]:
    together = strategy.stages[stage]
    if step.kind == "write" and not step.seat:
        yield "seat", 'a writer needs a seat: "main" or "second"'
    if step.kind != "write" and step.seat:
        yield "seat", "only a writer has a seat; the others read"
    if any(other.kind != step.kind for other in together):
        yield "group", "steps of one group are of one kind"
    if step.kind == "write" and sum(other.seat == step.seat for other in together) > 1:
        yield "group", f'two writers cannot share seat "{step.seat}" at the same time'
    if step.kind == "adjudicate" and (len(together) > 1 or stage + 1 < len(strategy.stages)):
        yield "kind", "one step adjudicates, and it is the last one"
    yield from _judging(strategy, step)
    for source in step.reads:
        complaint = _reading(strategy, step, source, stage)
        if complaint:
            yield "reads", f'"{source}": {complaint}'
    yield from _failures(step, together)


def _judging(strategy: Strategy, step: StrategyStep) -> Iterator[tuple[str, str]]:
    if step.kind == "review" and len(step.judged) != 1:
        yield "reads", 'a reviewer reads one patch, such as "patch:main"'
    if step.kind == "adjudicate" and set(step.judged) != set(strategy.seats):
        every = ", ".join(f'"patch:{seat}"' for seat in strategy.seats)
        yield "reads", f"it chooses between all patches: {every}"


def _reading(strategy: Strategy, step: StrategyStep, source: Source, stage: int) -> str:
    if source.what == "task":
        return ""
    before = [each for steps in strategy.stages[:stage] for each in steps]
    if source.what == "patch":
        written = any(each.seat == source.of for each in before)
        return "" if written else "no earlier step writes there"
    found = next((each for each in strategy.steps if each.name == source.of), None)
    if found is None:
        return "there is no such step"
    if source.what == "findings":
        # those of a later step are there in the next round
        return "" if found.judges else "that step judges nothing"
    if found.judges:
        return 'what a judge says are "findings"'
    return "" if found in before and found is not step else "that step comes later"


def _failures(step: StrategyStep, together: tuple[StrategyStep, ...]) -> Iterator[tuple[str, str]]:
    for failure, actions in step.failures.items():
        if failure == NO_VERDICT and not step.judges:
            yield "failures", f'"{failure}": this step gives no verdict'
        if any(action in ("degrade", "stop") for action in actions[:-1]):
            yield "failures", f'"{failure}": nothing comes after "degrade" and "stop"'
        if failure == NO_VERDICT and "degrade" in actions:
            yield "failures", f'"{failure}": a judge without a verdict cannot be left out'
        if "degrade" not in actions:
            continue
        if step.kind == "adjudicate" or (step.kind == "write" and len(together) == 1):
            yield "failures", f'"{failure}": nobody is left to do without this step'
