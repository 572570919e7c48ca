"""A person's approval is about one change, and says nothing about its tests or another change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.peers.elsewhere import lost
from tests.acceptance.peers.policies import policy
from tests.acceptance.project import Job, Project, job, write

pytestmark = pytest.mark.slow

ASKED = "[tiers.P1.approval]\ncount = 1\n"


def waiting(project: Project) -> dict[str, Any]:
    """Return the one request for approval that there is."""
    (found,) = json.loads(project.expect("approvals", "--json"))["approvals"]
    return dict(found)


@lost("The approval of one SHA was taken for another one.", "gastownhall/gascity-packs#235")
def test_an_approval_of_another_change_counts_for_nothing__gascity_packs_235(
    tmp_path: Path,
) -> None:
    """An approval names the change it is of; the next attempt's change needs one of its own."""
    project = Project(tmp_path, policy(tier=ASKED))
    project.plan(Job(id="T-1", attempts=([write("a", "one\n")], [write("a", "two\n")])))
    project.cto("run")
    first = waiting(project)
    project.expect("deny", "T-1", "--change", first["change"])
    project.expect("run", code=1)
    project.expect("retry", "T-1")
    project.cto("run")
    second = waiting(project)
    assert second["change"] != first["change"]
    project.expect("approve", "T-1", "--change", first["change"], code=1)
    project.cto("run")
    assert project.landed() == []
    project.expect("approve", "T-1", "--change", second["change"])
    project.expect("run")
    assert project.landed() == ["T-1"]
    assert project.show("a") == "two"


@lost("Approving a task completed it by force.", "sipyourdrink-ltd/bernstein#3081")
def test_an_approved_change_still_has_to_be_green__bernstein_3081(tmp_path: Path) -> None:
    """Approval is one requirement more, in the place of none: red tests stay red."""
    project = Project(tmp_path, policy(("test", "!", "-e", "bad"), tier=ASKED, attempts=1))
    project.plan(job("T-1", write("bad")))
    project.cto("run")
    project.expect("approve", "T-1", "--change", waiting(project)["change"])
    project.expect("run", code=1)
    assert project.state("T-1") == ("failed_terminal", "tests:tests_failed")
    assert project.landed() == []
