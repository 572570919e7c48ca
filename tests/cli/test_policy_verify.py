from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


def test_every_decision_of_a_run_comes_out_the_same_again(crew: Crew) -> None:
    crew.land("A")
    said = json.loads(crew.cto("policy", "verify", "--json").out)
    assert said["differing"] == []
    assert said["decisions"] >= 4  # dispatch, eligibility, landing, done
    told = crew.cto("policy", "verify").out
    assert f"{said['decisions']} of {said['decisions']} decisions are the same again" in told
    for action in ("dispatch", "eligibility", "landing", "done"):
        assert action in told


def test_a_decision_that_no_policy_made_is_found_out(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    crew.lease("A")  # cites a policy and a rule that nobody decided by
    done = crew.cto("policy", "verify", "--json", expect=1)
    (wrong,) = json.loads(done.out)["differing"]
    assert (wrong["kind"], wrong["action"]) == ("execution.leased", "dispatch")
    assert "event " in crew.cto("policy", "verify", expect=1).out


def test_a_team_that_decided_nothing_has_nothing_to_prove(crew: Crew) -> None:
    assert "0 of 0 decisions" in crew.cto("policy", "verify").out
