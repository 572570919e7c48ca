from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec
from tests.cli.conftest import POLICY, Crew

if TYPE_CHECKING:
    from tests.cli.conftest import Room

PULL_REQUESTS = """\
[remote]
name = "origin"
[pull_requests]
integration = "bare-remote"
"""
STEP = {"do": "write", "path": "b.py", "text": "y = 1\n"}


@pytest.fixture
def crew(repo: Room) -> Crew:
    """A team that opens pull requests at a bare repository beside it."""
    repo.write("policy.toml", POLICY + PULL_REQUESTS)
    made = Crew(repo.path, repo.home, repo.environ)
    made.git("init", "-q", "--bare", "../hub.git")
    made.git("remote", "add", "origin", "../hub.git")
    made.cto("init")
    return made


def pulls(crew: Crew) -> list[str]:
    listed = crew.git("ls-remote", "origin", "refs/cto/pull/*")
    return [line.partition("\t")[2] for line in listed.splitlines()]


def test_the_text_says_what_was_asked_what_changed_and_what_proves_it(crew: Crew) -> None:
    prompt = "Make it <script>\nand | safe"
    crew.work("A", STEP, prompt=prompt)
    task = json.loads(crew.cto("show", "A", "--json").out)["task"]
    text = crew.cto("pr", "A").out
    assert text.startswith("# A: Do A\n\nTask `A` of team `main`, tier P1; attempt 1 landed.\n")
    assert "> Make it &lt;script>\n> and | safe\n" in text
    assert "     b.py | 1 +\n" in text
    [row] = [line for line in text.splitlines() if line.startswith("| nonempty")]
    definition = json.loads(crew.cto("show", "A", "--json").out)["executions"][0]["verdicts"][0]
    assert row == (
        f"| nonempty | pass | - | changed: 1 path changed | `{definition['definition'][:12]}` | - |"
    )
    assert f"Commit `{task['commit']}`" in text
    assert f"evidence `{task['evidence']}`" in text
    assert "    git cto evidence verify A\n" in text
    assert "- Written by fake (developer), an agent" in text
    assert text.count("<!--") == 1
    crew.cto("evidence", "verify", "A")


def test_the_text_goes_to_a_file_that_is_not_there_yet(crew: Crew) -> None:
    crew.land("A")
    done = crew.cto("pr", "A", "--body", "pr.md")
    assert done.out == "Wrote pr.md\n"
    assert "`rm pr.md`" in done.err
    assert (crew.path / "pr.md").read_text() == crew.cto("pr", "A", "--body", "-").out
    assert crew.cto("pr", "A", "--body", "pr.md", expect=2).error == (
        "cannot write pr.md: File exists"
    )


def test_it_is_opened_once_and_shown(crew: Crew) -> None:
    crew.land("A")
    done = crew.cto("pr", "A", "--open")
    [ref] = pulls(crew)
    assert done.out == f"{crew.path.parent}/hub.git#{ref}\n"
    assert "`git push origin :refs/heads/cto/pr/A`" in done.err
    assert crew.cto("pr", "A", "--open").out == done.out
    assert pulls(crew) == [ref]
    assert f"pull      {done.out}" in crew.cto("show", "A").out
    told = json.loads(crew.cto("show", "A", "--json").out)["task"]
    assert told["pull_request"] == done.out.strip()
    crew.git("fetch", "-q", "origin", ref)
    assert crew.git("show", "FETCH_HEAD:body.md") == crew.cto("pr", "A").out.strip()


def test_a_task_that_has_not_landed_has_none(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    assert crew.cto("pr", "A", expect=1).error == "A has not landed: it is queued"
    assert crew.cto("pr", "A", "--open", expect=1).error == "A has not landed: it is queued"
    assert pulls(crew) == []


def test_policy_must_name_who_opens_it(crew: Crew) -> None:
    crew.land("A")
    crew.write("policy.toml", POLICY)
    told = crew.cto("pr", "A", "--open", expect=4)
    assert told.error == "policy names no integration that opens pull requests"
    assert 'integration = "bare-remote"' in told.err
    crew.write("policy.toml", POLICY + PULL_REQUESTS.replace("bare-remote", "nowhere"))
    assert "'nowhere'" in crew.cto("pr", "A", "--open", expect=5).error
