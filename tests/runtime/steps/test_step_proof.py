"""Which step came next is derived from the ledger again, and whoever forged it is found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from gitcto.git.objects import Objects
from gitcto.model.amending import amended
from gitcto.model.codec import Event
from gitcto.model.events import ExecutionFailed, ExecutionLeased, WorkHarvested
from gitcto.model.step_events import StepEnded, StepStarted
from gitcto.plugins import Plugins
from gitcto.policy.load import parse
from gitcto.runtime.host import strategies
from gitcto.runtime.proving.recorded_strategies import STRATEGY_FILE, recorded_strategy
from gitcto.runtime.proving.step_proof import Find, StepProof
from gitcto.store.ledger import Ledger
from gitcto.strategies.records import Strategy
from tests.runtime.team.conftest import die_at

Events = list[Event]

HANDED_OVER = '[strategies.writer_reviewer_handoff.providers]\nreviewer = ["reviewer"]\n'


def finds(ledger: Ledger) -> Find:
    return partial(recorded_strategy, Objects(ledger.repository), ledger)


def differing(events: Sequence[Event], find: Find) -> list[str]:
    proof = StepProof(find)
    found = [proof.take(event, seq) for seq, event in enumerate(events, 1)]
    return [each.differs for each in found if each is not None and each.differs]


def of(events: Events, kind: type, number: int = 0) -> int:
    """Return the place of an event of a kind; of a step, with this number."""
    return next(
        place
        for place, event in enumerate(events)
        if isinstance(event.body, kind) and number in (0, getattr(event.body, "number", 0))
    )


def changed(events: Events, kind: type, number: int = 0, **fields: Any) -> Events:
    place = of(events, kind, number)
    event = events[place]
    forged = amended(event, body=amended(event.body, **fields))  # type: ignore[type-var]
    return [*events[:place], forged, *events[place + 1 :]]


def without_review(events: Events) -> Events:
    """Leave the last review out: what was written last is taken up as it is."""
    left = {of(events, StepStarted, 4), of(events, StepEnded, 4)}
    return [event for place, event in enumerate(events) if place not in left]


def given_up(events: Events) -> Events:
    """Say that the strategy had enough, when it would have gone on."""
    place = of(events, StepStarted, 3)
    x = next(event.body.execution for event in events if isinstance(event.body, StepStarted))
    end = ExecutionFailed(
        execution=x, epoch=1, reason="rejected", detail="", charged=True, then="queued"
    )  # type: ignore[arg-type]
    return [*events[:place], amended(events[place], body=end)]


def other_decision(events: Events) -> Events:
    """Let the writer's decision stand for the reviewer, whom nobody decided about."""
    written = events[of(events, StepStarted, 1)].body
    assert isinstance(written, StepStarted)
    return changed(events, StepStarted, 2, decision=written.decision)


FORGERIES: dict[str, Callable[[Events], Events]] = {
    "another step": lambda events: changed(events, StepStarted, 2, name="write"),
    "a step twice": lambda events: changed(events, StepStarted, 3, name="review"),
    "what it read": lambda events: changed(events, StepStarted, 4, reads={"main": "0" * 40}),
    "what it was told": lambda events: changed(events, StepStarted, 3, told=()),
    "who did it": lambda events: changed(events, StepStarted, 2, provider="writer"),
    "why": lambda events: changed(events, StepStarted, 3, why="mail"),
    "a verdict": lambda events: changed(events, StepEnded, 2, verdict="approve"),
    "other work": lambda events: changed(events, WorkHarvested, commit="0" * 40),
    "no decision": lambda events: changed(events, StepStarted, 2, decision=None),
    "another decision": other_decision,
    "no last review": without_review,
    "given up": given_up,
}


def test_every_forged_step_is_found(steps: Any) -> None:
    steps.policy("write", "reject-first")
    steps.plan()
    steps.team.run()
    with steps.team.ledger() as ledger:
        events, find = [stored.event for stored in ledger.events()], finds(ledger)
        assert differing(events, find) == []
        for name, forge in FORGERIES.items():
            assert differing(forge(list(events)), find), name

        def reversed_(name: str, file: str) -> Strategy | str:
            found = find(name, file)
            assert isinstance(found, Strategy)
            return replace(found, steps=found.steps[::-1])

        assert differing(events, reversed_), "another text"
        lost = changed(events, ExecutionLeased, strategy_file="0" * 64)
        assert "the ledger holds no file 000000000000" in differing(lost, find)[0]


def test_a_plugins_strategy_is_proved_and_gone_on_with_after_it_changed(
    steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade of git-cto: the text of the attempt is the ledger's, not the plugin's."""
    steps.policy("write", "approve", "writer_reviewer_handoff")
    steps.team.policy_text += HANDED_OVER
    steps.team.save_policy()
    steps.plan()
    assert die_at(steps.team, "step.recorded", 1) == -9
    policy = parse(steps.team.policy_text.encode(), "policy.toml")
    shipped = strategies.text_of(Plugins.load(), policy, "writer_reviewer_handoff")
    alone = strategies.text_of(Plugins.load(), policy, "single_worker")
    monkeypatch.setattr(strategies, "_read", lambda _plugins, _registered: alone)
    steps.team.run()
    assert steps.team.landed() == ["A"]
    names = [step.name for step in steps.steps()]
    assert names[-1] == "review"
    tree = steps.team.git("log", "--format=%T", "--grep=leased", "refs/cto/teams/main/ledger")
    kept = steps.team.git("show", f"{tree.split()[-1]}:{STRATEGY_FILE}")
    assert kept == shipped.decode().strip()
