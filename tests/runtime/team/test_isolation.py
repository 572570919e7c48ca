"""Which sandbox a run takes: proved, recorded, named when it is weak, refused when too weak."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.errors import CtoError
from gitcto.model.events import ExecutionLeased, ExecutionStarted
from gitcto.policy.decisions import reevaluate

DONE = {"do": "write", "path": "x", "text": "1\n"}


def bodies(team: Any, kind: type) -> list[Any]:
    with team.ledger() as ledger:
        found = [stored.event.body for stored in ledger.events()]
    return [body for body in found if isinstance(body, kind)]


def test_level_sandbox_and_probe_are_in_the_executions_event(team: Any) -> None:
    team.plan(team.task("A", [DONE]))
    team.run()
    [started] = bodies(team, ExecutionStarted)
    assert (started.isolation, started.sandbox) == ("none", "none")
    assert started.probe["daemon"] == "stopped"
    assert started.probe["write_absolute"] == "open"
    assert len(started.probe) == 14


def test_a_level_that_confines_nothing_is_printed(team: Any) -> None:
    team.plan(team.task("A", [DONE]))
    team.run()
    assert "workers run at isolation level none, as policy allows" in team.told.notes


def test_the_dispatch_is_decided_by_the_level_and_can_be_decided_again(team: Any) -> None:
    team.plan(team.task("A", [DONE]))
    team.run()
    [leased] = bodies(team, ExecutionLeased)
    assert leased.decision.inputs["isolation"] == "none"
    assert reevaluate(team.policy, leased.decision) == leased.decision


def test_a_run_with_tasks_that_demand_more_does_not_begin(team: Any) -> None:
    team.policy_text += 'sandbox = "landlock"\n'
    team.plan(team.task("A", [DONE]))
    with pytest.raises(CtoError) as caught:
        team.run()
    assert caught.value.message == "tier P1 demands isolation landlock, this machine gives none"
    assert "[tiers.P1]" in caught.value.hint
    assert bodies(team, ExecutionLeased) == []
    assert team.tasks()["A"].state.value == "queued"


def test_a_demand_of_a_tier_without_open_tasks_holds_nobody_up(team: Any) -> None:
    team.policy_text += '[tiers.P0]\ngates = ["nonempty", "paths"]\nsandbox = "strict"\n'
    team.plan(team.task("A", [DONE]))
    team.run()
    assert team.landed() == ["A"]


def test_a_sandbox_that_no_plugin_provides_is_exit_five(team: Any) -> None:
    team.policy_text = team.policy_text.replace('use = ["none"]', 'use = ["bunker"]')
    team.plan(team.task("A", [DONE]))
    with pytest.raises(CtoError, match="'bunker'") as caught:
        team.run()
    assert caught.value.exit_code == 5


def test_home_and_temporary_files_are_the_attempts_own(team: Any) -> None:
    team.policy_text = team.policy_text.replace(
        'plugin = "fake"',
        'plugin = "command"\nargv = ["sh", "-c", "echo $HOME > h; echo $TMPDIR > t"]',
    )
    team.plan(team.task("A", [DONE]), team.task("B", [DONE], depends_on=("A",)))
    team.run()
    homes = {team.show("h", f"cto/main/integration{back}") for back in ("", "~1")}
    assert len(homes) == 2
    assert all(str(team.rooms) in home for home in homes)
    assert str(team.rooms) in team.show("t")
