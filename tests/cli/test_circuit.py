"""What a person sees and does when a provider ran dry or a budget is used up."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec
from tests.cli.conftest import MAIN

if TYPE_CHECKING:
    from tests.cli.conftest import Crew

WRITE: dict[str, object] = {"do": "write", "path": "b.py", "text": "y = 1\n"}
USE: dict[str, object] = {
    "do": "use",
    "input_tokens": 90,
    "cached_tokens": 5,
    "output_tokens": 5,
    "cost_micros": 2500,
}
QUOTA: dict[str, object] = {
    "do": "fault",
    "kind": "quota",
    "detail": "no more today",
    "retryable": False,
}


def plan(crew: Crew, task: str, *attempts: list[dict[str, object]]) -> None:
    crew.plan(TaskSpec(id=task, title=f"Do {task}", inputs={"script": json.dumps(attempts)}))


@pytest.mark.timeout(120)
def test_a_run_that_only_a_parked_provider_stops_says_so_and_how_to_go_on(crew: Crew) -> None:
    plan(crew, "A", [USE, QUOTA], [WRITE, USE])
    ended = crew.cto("run", expect=6)
    why = "Provider fake is parked (quota: no more today) until somebody mends it and says so"
    assert why in ended.out
    assert "go on with `git cto run`" in ended.err
    assert why in crew.cto("status").out
    assert why in crew.cto("circuit", "list").out
    plain = json.loads(crew.cto("circuit", "list", "--json").out)["circuits"]["fake"]
    assert (plain["reason"], plain["until_ms"], plain["times"]) == ("quota", 0, 1)

    crew.cto("run", expect=6)
    resumed = crew.cto("resume", "--provider", "fake")
    assert "Provider fake may be asked again" in resumed.out
    crew.cto("run")
    assert crew.cto("circuit", "list").out == "No provider is parked\n"

    shown = crew.cto("usage").out
    assert "$0.0050" in shown
    told = json.loads(crew.cto("usage", "--json").out)
    assert told["providers"]["fake"]["runs"] == 2
    [of_role] = told["roles"].values()
    assert of_role == told["tasks"]["A"] == told["providers"]["fake"]
    assert told["tasks"]["A"]["tokens"] == 200
    of_task = json.loads(crew.cto("usage", "--task", "A", "--json").out)
    assert of_task["providers"]["fake"] == told["providers"]["fake"]


@pytest.mark.timeout(60)
def test_a_person_parks_a_provider_and_takes_it_back(crew: Crew) -> None:
    parked = crew.cto("circuit", "open", "fake", "--for", "2h", "--reason", "the bill")
    assert parked.out.startswith("Provider fake is parked until 20")
    assert "`git cto circuit close fake`" in parked.err
    plan(crew, "A", [WRITE])
    assert "(person: the bill)" in crew.cto("run", expect=6).out
    assert crew.cto("circuit", "close", "fake").out == "Provider fake may be asked again\n"
    assert crew.cto("circuit", "close", "fake").out == "Provider fake was not parked\n"
    crew.cto("run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("close", "gpt"), "policy has no provider 'gpt'"),
        (("open", "gpt"), "policy has no provider 'gpt'"),
        (("open", "fake", "--for", "soon"), "'soon' is no length of time"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    crew: Crew, arguments: tuple[str, ...], message: str
) -> None:
    assert crew.cto("circuit", *arguments, expect=2).error == message


@pytest.mark.timeout(60)
def test_budgets_are_shown_with_what_is_left(crew: Crew) -> None:
    text = (crew.path / "policy.toml").read_text()
    crew.write("policy.toml", f"{text}[budgets.team]\nusd = 1.0\ntokens = 1000\n")
    plan(crew, "A", [WRITE, USE])
    crew.cto("run")
    left = "Budget of the team: 100 tokens of 1000 tokens used, 900 tokens left"
    assert left in crew.cto("usage").out
    assert left in crew.cto("status").out


def test_a_budget_that_cannot_be_held_is_told_or_refused_by_name(crew: Crew) -> None:
    text = (crew.path / "policy.toml").read_text()
    other = '[providers.script]\nplugin = "command"\nargv = ["true"]\n'
    crew.write("policy.toml", f"{text}{other}[budgets.task]\nusd = 1.0\n")
    assert "provider script reports no cost" in crew.cto("policy", "validate").err
    assert "provider script reports no cost" in crew.cto("run").err
    crew.write("policy.toml", f'{text}{other}[budgets]\nunknown_usage = "refuse"\ntask.usd = 1.0\n')
    for command in (("policy", "validate"), ("run",)):
        assert "provider script reports no cost" in crew.cto(*command, expect=4).error


@pytest.mark.timeout(120)
def test_what_an_agent_does_is_watched_live_in_words_of_our_own(crew: Crew) -> None:
    plan(crew, "A", [{"do": "message", "text": "reading\nb.py"}, USE, {"do": "hang"}])
    assert "no agent works on A" in crew.cto("watch", "A", expect=1).error
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"],
        cwd=crew.path,
        env=crew.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        deadline = time.monotonic() + 60
        while "used 100" not in (seen := watch_once(crew)):
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
        told = [json.loads(line) for line in watch_once(crew, "--json").splitlines()]
        crew.cto("stop")
        run.wait(60)
    assert seen.splitlines() == [
        "1 fake says: reading b.py",
        "1 fake used 100 tokens, $0.0025 so far",
    ]
    assert [each["kind"] for each in told] == ["message", "used"]
    assert told[1]["usage"]["input_tokens"] == 90


def watch_once(crew: Crew, *options: str) -> str:
    """Return what there is to see of A's agent now; nothing before it was started."""
    with contextlib.suppress(AssertionError):
        return crew.cto("watch", "A", "--once", *options).out
    return ""
