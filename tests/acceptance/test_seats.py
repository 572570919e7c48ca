"""A person who does not answer keeps no worker from working."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.peers.policies import policy
from tests.acceptance.project import Project, job, write

pytestmark = pytest.mark.slow


def test_what_waits_for_approval_takes_no_seat(tmp_path: Path) -> None:
    project = Project(tmp_path, policy(workers=1, tier="[tiers.P1.approval]\ncount = 1\n"))
    project.plan(*(job(f"T-{number}", write(f"f{number}")) for number in range(3)))
    project.cto("run")
    asked = json.loads(project.expect("approvals", "--json"))["approvals"]
    assert sorted(each["task"] for each in asked) == ["T-0", "T-1", "T-2"]
    for each in asked:
        project.expect("approve", each["task"], "--change", each["change"])
    project.expect("run")
    assert sorted(project.landed()) == ["T-0", "T-1", "T-2"]
