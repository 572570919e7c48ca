"""The sections about persons' approvals and about what leaves the repository."""

from __future__ import annotations

import pytest

from gitcto.policy.explain import explain
from gitcto.policy.load import parse
from gitcto.policy.problems import PolicyError
from gitcto.policy.records import PullRequestSettings, TierApproval

TEXT = """\
version = 1
[gates.nonempty]
[tiers.P0]
gates = ["nonempty"]
[tiers.P0.approval]
count = 2
approvers = ["ada@box", "bob@box"]
expires_h = 5
[remote]
name = "upstream"
[pull_requests]
integration = "bare-remote"
base = "develop"
"""


def test_what_is_written_is_read_and_explained() -> None:
    policy = parse(TEXT.encode(), "p")
    asked = TierApproval(count=2, approvers=("ada@box", "bob@box"), expires_h=5)
    assert dict(policy.approvals) == {"P0": asked}
    assert policy.remote.name == "upstream"
    assert policy.pull_requests == PullRequestSettings(integration="bare-remote", base="develop")
    told = "\n".join(explain(policy))
    assert "P0: nonempty; 2 approvals of ada@box, bob@box within 5 h" in told
    assert "push     to upstream after each landing" in told
    assert "pulls    opened by bare-remote, into develop" in told


def test_without_the_sections_nobody_is_asked_and_nothing_leaves() -> None:
    policy = parse(b"version = 1", "p")
    assert dict(policy.approvals) == {}
    assert (policy.remote.name, policy.pull_requests.integration) == ("", "")
    assert policy.pull_requests.base == "main"
    assert "push     nowhere after each landing" in explain(policy)


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ('[pull_requests]\nintegration = "x"', 3, '"integration" needs the "name" of a remote'),
        ('[pull_requests]\nbase = "{team}"', 3, "give the name of a branch"),
        ('[pull_requests]\nbase = "a b"', 3, "this is not a branch name that git accepts"),
        ('[remote]\nname = "https://x.org"', 3, "give the name of a remote, such as origin"),
        ('[remote]\nname = "-o"', 3, "give the name of a remote, such as origin"),
        ("[tiers.P0.approval]\ncount = -1", 3, '"count" must be'),
        ('[tiers.P0.approval]\ncount = 2\napprovers = ["a"]', 3, '"approvers" names fewer'),
        ('[tiers.P0.approval]\napprovers = ["a\\nb"]', 3, "give one line"),
        ("[tiers.P0.approval]\nexpires_h = 0", 3, '"expires_h" must be'),
    ],
)
def test_what_cannot_be_is_said(text: str, line: int, complaint: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(f"version = 1\n{text}\n".encode(), "p")
    [problem] = caught.value.problems
    assert problem.line == line
    assert complaint in problem.message
