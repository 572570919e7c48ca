"""An agent drafts a plan: it is run as a step is, checked, kept, and nothing runs unasked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.git.lock import exclusive
from tests.cli.conftest import MAIN

if TYPE_CHECKING:
    from tests.cli.conftest import Room

POLICY = """\
version = 1
[roles.developer]
provider = "agent"
[providers.agent]
plugin = "fake"
script = '''SCRIPT'''
[gates.nonempty]
plugin = "nonempty"
[gates.paths]
plugin = "paths"
[sandbox]
use = ["none"]
[tiers.P1]
gates = ["nonempty", "paths"]
"""

ONE = {
    "id": "one",
    "title": "Do one",
    "prompt": "Write src/one.py.",
    "depends_on": [],
    "role": "developer",
    "tier": "P1",
    "priority": "normal",
    "paths": ["src/one.py"],
}
TWO = {**ONE, "id": "two", "title": "Do two", "depends_on": ["one"], "paths": ["src/two.py"]}


def answer(*tasks: dict[str, Any], **changed: Any) -> str:
    return json.dumps({"version": 1, "summary": "Two steps.", "tasks": list(tasks), **changed})


def agent(repo: Room, *steps: dict[str, Any], more: str = "") -> None:
    """Let the policy's agent do these steps whatever it is asked."""
    script = json.dumps([list(steps)])
    repo.write("policy.toml", POLICY.replace("SCRIPT", script) + more)


def says(text: str) -> dict[str, Any]:
    return {"do": "message", "text": text}


@pytest.fixture
def team(repo: Room) -> Room:
    agent(repo, says(answer(ONE, TWO)))
    repo.git("add", ".")
    repo.git("commit", "-qm", "policy")
    repo.cto("init")
    return repo


def waiting(team: Room) -> list[dict[str, Any]]:
    return json.loads(team.cto("plan", "drafts", "--json").out)["drafts"]


def kinds(team: Room) -> list[str]:
    return [
        json.loads(line)["body"]["kind"]
        for line in team.git(
            "log", "--reverse", "--format=%B", "refs/cto/teams/main/ledger"
        ).splitlines()
        if line.startswith("{")
    ]


def tasks(team: Room) -> int:
    counts = json.loads(team.cto("status", "--json").out)["team"]["counts"]
    return sum(counts.values())


def draft(team: Room, *arguments: str, expect: int = 0) -> Any:
    return team.cto("plan", "draft", "Do it well", "--provider", "agent", *arguments, expect=expect)


def leaves_nothing(team: Room) -> None:
    """Assert that no room, record or ref of a draft's run is left."""
    rooms = list((Path(team.home) / ".local/state/git-cto/rooms").glob("*/main/*"))
    records = list((team.path / ".git/cto/teams/main/executions").glob("*"))
    refs = team.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main").splitlines()
    assert (rooms, records, refs) == ([], [], ["refs/cto/teams/main/ledger"])


def test_a_draft_waits_and_nothing_runs_before_a_person_approves(team: Room) -> None:
    agent(
        team,
        {"do": "use", "input_tokens": 7},
        says(f"Here it is:\n```json\n{answer(ONE, TWO)}\n```"),
    )
    made = draft(team)
    assert "1  one   P1    developer  -      src/one.py  Do one" in made.out
    assert "nothing runs before `git cto plan approve" in made.err
    assert tasks(team) == 0
    leaves_nothing(team)
    [one] = waiting(team)
    assert (one["tasks"], one["problems"], one["provider"]) == (2, 0, "agent")
    assert one["base"] == team.git("rev-parse", "cto/main/integration")
    approved = team.cto("plan", "approve", one["id"][-6:])
    assert "2 tasks added (one, two)" in approved.out
    assert waiting(team) == []
    assert kinds(team)[-5:] == [
        "plan.drafted",
        "plan.approved",
        "plan.imported",
        "task.added",
        "task.added",
    ]
    log = team.cto("log", "--json").out
    assert '"by": "ada@box"' in log.replace('"by":"', '"by": "')
    team.cto("plan", "approve", one["id"], expect=2)
    assert tasks(team) == 2


def test_the_agent_is_told_the_objective_the_rules_and_the_form(team: Room) -> None:
    program = (
        "import os, shutil, sys; print(open(sys.argv[1]).read());"
        "print(sorted(os.listdir('.')), os.environ['CTO_TASK'])"
    )
    command = json.dumps([sys.executable, "-c", program, "{prompt_file}"])
    team.write(
        "policy.toml",
        POLICY.replace(
            "plugin = \"fake\"\nscript = '''SCRIPT'''", f'plugin = "command"\nargv = {command}'
        ),
    )
    draft(team, expect=1)
    [one] = waiting(team)
    told = team.cto("plan", "show-draft", one["id"], "--answer").out
    assert "## The objective\n\nDo it well\n" in told
    assert "`role` is one of: developer." in told
    assert "Nothing\n  may change policy.toml, .gitattributes" in told
    assert "['a.py', 'policy.toml'] plan" in told or "'a.py'" in told
    assert one["problems"] > 0, "who repeats what it was told has planned nothing"


BAD = {
    "no JSON": ("I would do one, then two.", "there is no JSON in the answer"),
    "a cycle": (answer({**ONE, "depends_on": ["two"]}, TWO), "wait for each other"),
}
"""Two of them; tests/runtime/test_draft_check.py has all."""


@pytest.mark.parametrize(("text", "says_why"), BAD.values(), ids=BAD)
def test_a_draft_with_problems_is_kept_and_cannot_be_approved(
    team: Room, text: str, says_why: str
) -> None:
    agent(team, says(text))
    made = draft(team, expect=1)
    assert says_why in made.out
    assert "so it cannot be approved" in made.err.splitlines()[-2]
    [one] = waiting(team)
    assert one["problems"] >= 1
    assert team.cto("plan", "show-draft", one["id"], "--answer").out == f"{text}\n"
    assert "cannot be approved" in team.cto("plan", "approve", one["id"], expect=1).error
    assert tasks(team) == 0
    leaves_nothing(team)


def test_a_task_that_exists_is_said_and_so_is_one_that_came_meanwhile(team: Room) -> None:
    draft(team)
    draft(team)
    first, second = waiting(team)
    team.cto("plan", "approve", first["id"])
    refused = team.cto("plan", "approve", second["id"], expect=1)
    assert "this id is" in refused.error
    assert "this id is" in draft(team, expect=1).out


def test_an_approval_is_by_the_policy_as_it_is_then(team: Room) -> None:
    draft(team)
    [one] = waiting(team)
    agent(team, says("x"), more='[scope]\nprotected = ["src/**"]\n')
    assert "is protected by policy" in team.cto("plan", "approve", one["id"], expect=1).error
    agent(team, says("x"), more="[plans]\nmax_tasks = 1\n")
    assert "policy allows 1" in team.cto("plan", "approve", one["id"], expect=1).error


def test_policy_may_approve_but_never_of_a_problem(team: Room) -> None:
    auto = '[plans]\napprove_drafts = "auto"\n'
    agent(team, says(answer({**ONE, "role": "boss"})), more=auto)
    draft(team, expect=1)
    assert "plan.approved" not in kinds(team)
    agent(team, says(answer(ONE, TWO)), more=auto)
    assert "policy approved it" in draft(team).err
    assert kinds(team)[-5:-3] == ["plan.drafted", "plan.approved"]
    assert tasks(team) == 2


def test_an_agent_that_fails_leaves_a_draft_that_says_why(team: Room) -> None:
    agent(
        team,
        {"do": "use", "input_tokens": 5},
        {"do": "fault", "kind": "quota", "detail": "no money left", "retryable": False},
    )
    made = draft(team, expect=1)
    assert "agent failed: quota: no money left" in made.out
    leaves_nothing(team)
    again = draft(team, expect=1)
    assert "provider 'agent' is not asked now: it is parked (quota: no money left)" in again.error
    assert kinds(team).count("plan.drafted") == 1


def test_a_budget_that_is_used_up_asks_no_agent(team: Room) -> None:
    budget = "[budgets.team]\ntokens = 5\n"
    agent(team, {"do": "use", "input_tokens": 5}, says(answer(ONE)), more=budget)
    draft(team)
    refused = draft(team, expect=6)
    assert "5 tokens of 5 tokens that the team may use" in refused.error
    assert "raise budgets.team.tokens" in refused.err
    assert kinds(team).count("plan.drafted") == 1


def test_a_later_round_is_shown_the_draft_and_its_problems(team: Room) -> None:
    agent(team, says(answer({**ONE, "role": "boss"})))
    draft(team, expect=1)
    [one] = waiting(team)
    agent(team, says(answer(ONE)))
    draft(team, "--revise", one["id"][-6:])
    assert waiting(team)[1]["revises"] == one["id"]


def test_a_person_may_choose_the_strategy_of_its_tasks(team: Room) -> None:
    draft(team, "--strategy", "plan_then_write")
    [one] = waiting(team)
    team.cto("plan", "approve", one["id"])
    added = [
        json.loads(line)
        for line in team.git("log", "--format=%B", "refs/cto/teams/main/ledger").splitlines()
        if '"task.added"' in line
    ]
    assert {event["body"]["task"]["strategy"] for event in added} == {"plan_then_write"}
    assert "no strategy 'x'" in draft(team, "--strategy", "x", expect=4).error


def test_rejecting_says_how_to_look_at_it_still(team: Room) -> None:
    draft(team)
    [one] = waiting(team)
    rejected = team.cto("plan", "reject", one["id"], "--reason", "too big")
    blob = rejected.err.split("`git cat-file blob ")[1].split("`")[0]
    assert json.loads(team.git("cat-file", "blob", blob))["tasks"][0]["id"] == "one"
    assert waiting(team) == []
    assert team.cto("plan", "drafts").out == "No draft waits\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says_why"),
    [
        (("draft", "x", "--provider", "nobody"), 2, "policy.toml has no provider 'nobody'"),
        (("draft", " ", "--provider", "agent"), 2, "an objective has 1 to 4000 characters"),
        (("draft", "x" * 4001, "--provider", "agent"), 2, "an objective has 1 to 4000 characters"),
        (("draft", "x", "--provider", "agent", "--revise", "zzzz"), 2, "no draft 'zzzz' waits"),
        (("approve", "zzzzzz"), 2, "no draft 'zzzzzz' waits"),
        (("reject", ""), 2, "no draft '' waits"),
        (("show-draft", "x"), 2, "no draft 'x' waits"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    team: Room, arguments: tuple[str, ...], code: int, says_why: str
) -> None:
    assert says_why in team.cto("plan", *arguments, expect=code).error
    assert "plan.drafted" not in kinds(team)


@pytest.mark.parametrize("command", [("draft", "x", "--provider", "agent"), ("approve", "abcdef")])
def test_a_worker_cannot_give_itself_more_to_do(team: Room, command: tuple[str, ...]) -> None:
    team.environ["CTO_EXECUTION"] = "e1"
    assert "environment of a worker" in team.cto("plan", *command, expect=1).error


def test_a_provider_that_is_missing_is_not_asked(team: Room) -> None:
    team.write(
        "policy.toml",
        POLICY.replace(
            "plugin = \"fake\"\nscript = '''SCRIPT'''", 'plugin = "command"\nargv = ["/no/such"]'
        ),
    )
    assert "may not draft a plan" in draft(team, expect=1).error
    assert "plan.drafted" not in kinds(team)
    leaves_nothing(team)


def begun(team: Room, sign: Path) -> subprocess.Popen[str]:
    """Begin a draft in a process of its own, and return once its agent has left a sign."""
    team.git("add", ".")
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "plan", "draft", "Do it well", "--provider", "agent"],
        cwd=team.path,
        env=team.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 45
    while not sign.exists():
        assert time.monotonic() < deadline, "the agent did not start"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def test_an_interrupted_draft_ends_its_agent_and_is_kept(team: Room) -> None:
    started = team.home / "started"
    agent(team, {"do": "write", "path": str(started)}, {"do": "hang", "ignore": ["INT"]})
    process = begun(team, started)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)
    assert process.returncode == 1, (out, err)
    assert "agent failed: killed" in out
    [one] = waiting(team)
    assert one["problems"] == 1
    leaves_nothing(team)


def test_a_draft_whose_command_was_killed_is_taken_up_and_paid_for_once(team: Room) -> None:
    paid, go = team.home / "paid", team.home / "go"
    agent(
        team,
        {"do": "append", "path": str(paid), "text": "once\n"},
        {"do": "wait_for", "path": str(go)},
        says(answer(ONE, TWO)),
    )
    process = begun(team, paid)
    process.kill()
    process.communicate()
    assert "is asked of agent: Do it well" in team.cto("plan", "drafts").out
    assert "take the draft up" in team.cto("resume").out
    ran = team.cto("run")
    assert "an agent is at work on a plan" in ran.err
    assert "is kept" not in ran.out
    go.touch()
    assert "1  one" in draft(team).out
    assert paid.read_text() == "once\n"
    [one] = waiting(team)
    assert (one["tasks"], one["problems"]) == (2, 0)
    assert kinds(team).count("plan.asked") == 1
    leaves_nothing(team)


def test_a_draft_that_nobody_wants_any_more_is_ended_by_the_next_run(team: Room) -> None:
    started = team.home / "started"
    agent(team, {"do": "write", "path": str(started)}, {"do": "hang"})
    process = begun(team, started)
    process.kill()
    process.communicate()
    [asked] = json.loads(team.cto("plan", "drafts", "--json").out)["asked"]
    team.cto("plan", "reject", asked["id"])
    lock = team.path / ".git/cto/teams/main/executions" / asked["id"] / "asked"
    with exclusive(lock, wait_s=0):  # as whoever waits for its agent
        team.cto("run")
        assert lock.exists()
    team.cto("run")
    assert "plan.drafted" not in kinds(team)
    leaves_nothing(team)
