"""Every durable moment of every flow: killed there, done again, and the five promises hold.

One campaign for all: it knows what an earlier flow was killed at already. ``make test`` draws the
further kills (at later passings, and of recovery) by seed 0; ``python -m
gitcto.testing.crash_points --all`` leaves nothing out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from gitcto.testing.crash_points import sites
from gitcto.testing.crash_points.flows import FLOWS

pytestmark = [
    pytest.mark.xdist_group("crash points"),
    pytest.mark.timeout(3000),
    pytest.mark.skipif(sys.platform != "linux", reason="finds what is left as a subreaper"),
]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("crash")
    module = ("-m", "gitcto.testing.crash_points", "--jobs", "1", "--json")
    done = subprocess.run(
        (sys.executable, *module, "--place", str(place)),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout, done.stderr
    return {**json.loads(done.stdout), "said": done.stderr}


def test_every_flow_survives_every_kill(campaign: dict[str, Any], record_property: Any) -> None:
    figures = {k: v for k, v in campaign.items() if k not in {"said", "unpassed", "unneeded"}}
    record_property("figures", json.dumps(figures))
    assert campaign["violations"] == 0, campaign["said"]
    assert campaign["survived"] == campaign["killed"]
    assert campaign["flows"] == len(FLOWS)


def test_the_kills_happened(campaign: dict[str, Any]) -> None:
    """Threads may come to a moment once less than they did undisturbed, but rarely."""
    assert campaign["killed"] >= 250
    assert campaign["not_come_to"] <= campaign["runs"] // 20
    assert campaign["killed_twice"] >= 30


def test_every_durable_step_of_the_source_is_come_to(campaign: dict[str, Any]) -> None:
    """A new one needs a flow that comes to it, or a reason in ``sites.ELSEWHERE``."""
    assert campaign["unpassed"] == []


def test_no_reason_is_given_for_a_step_that_is_come_to(campaign: dict[str, Any]) -> None:
    assert campaign["unneeded"] == []


def test_the_source_is_read() -> None:
    assert {"landing.moved", "ledger.ref", "work.preserved"} <= sites.named_steps()
    assert {"git.refs.Refs._rename", "runtime.trash.throw"} <= sites.durable_sites()
