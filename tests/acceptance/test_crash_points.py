"""Every durable moment of every flow: killed there, done again, and the five promises hold.

One campaign for all: it knows what an earlier flow was killed at already. ``make test`` draws the
further kills (at later passings, and of recovery) by seed 0; ``python -m
gitcto.testing.crash_points --all`` leaves nothing out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitcto.testing.crash_points import sites
from gitcto.testing.crash_points.flows import FLOWS

pytestmark = [
    pytest.mark.timeout(3000),
    pytest.mark.skipif(sys.platform != "linux", reason="finds what is left as a subreaper"),
]


def campaign(place: Path) -> dict[str, Any]:
    module = ("-m", "gitcto.testing.crash_points", "--jobs", "1", "--json")
    done = subprocess.run(
        (sys.executable, *module, "--place", str(place)),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout, done.stderr
    return {**json.loads(done.stdout), "said": done.stderr}


def test_every_flow_survives_every_kill(
    tmp_path_factory: pytest.TempPathFactory, record_property: Any
) -> None:
    """One test, so that one worker alone carries the campaign out, and once.

    A new durable step needs a flow that comes to it, or a reason in ``sites.ELSEWHERE``. Threads
    may come to a moment once less than they did undisturbed, but rarely.
    """
    found = campaign(tmp_path_factory.mktemp("crash"))
    figures = {k: v for k, v in found.items() if k not in {"said", "unpassed", "unneeded"}}
    record_property("figures", json.dumps(figures))
    assert found["violations"] == 0, found["said"]
    assert (found["unpassed"], found["unneeded"]) == ([], [])
    assert found["survived"] == found["killed"]
    assert found["flows"] == len(FLOWS)
    assert found["killed"] >= 250
    assert found["not_come_to"] <= found["runs"] // 20
    assert found["killed_twice"] >= 30


def test_the_source_is_read() -> None:
    assert {"landing.moved", "ledger.ref", "work.preserved"} <= sites.named_steps()
    assert {"git.refs.Refs._rename", "runtime.workspace.trash.throw"} <= sites.durable_sites()
