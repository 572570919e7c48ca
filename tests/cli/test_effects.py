from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.model.effect_commands import ConfirmEffect, DoubtEffect, IntendEffect
from gitcto.model.records import TaskSpec
from tests.cli.conftest import POLICY, Crew

if TYPE_CHECKING:
    from tests.cli.conftest import Room

KEY, OTHER = "ab" * 32, "ac" * 32


@pytest.fixture
def crew(repo: Room) -> Crew:
    """A team of which one effect was done, and one nobody knows about."""
    repo.write("policy.toml", POLICY)
    made = Crew(repo.path, repo.home, repo.environ)
    made.cto("init")
    made.plan(TaskSpec(id="A", title="a"))
    for key in (KEY, OTHER):
        made.record(intent(key))
    made.record(ConfirmEffect(task="A", key=OTHER, how="created", url="https://here/7", id="7"))
    made.record(DoubtEffect(task="A", key=KEY, why="no answer"))
    return made


def intent(key: str) -> IntendEffect:
    return IntendEffect(
        task="A",
        key=key,
        effect="message",
        integration="chat",
        digest="d" * 64,
        epoch=0,
        sender="c1",
        until_ms=1 << 50,
    )


def listed(crew: Crew, *options: str) -> list[dict[str, Any]]:
    found = json.loads(crew.cto("effects", "list", "--json", *options).out)["effects"]
    assert isinstance(found, list)
    return found


def test_what_waits_for_a_person_is_said(crew: Crew) -> None:
    assert "1 effect waits for a person: `git cto effects list`\n" in crew.cto("status").out
    shown = crew.cto("effects", "list")
    rows = [line.split(maxsplit=4) for line in shown.out.splitlines()]
    assert rows[1:] == [
        [KEY[:12], "A", "message", "unclear", "no answer"],
        [OTHER[:12], "A", "message", "confirmed", "https://here/7"],
    ]
    assert "git cto effects resolve KEY" in shown.err
    assert [each["key"] for each in listed(crew, "--unclear")] == [KEY]
    told = json.loads(crew.cto("status", "--json").out)["team"]
    assert told["unclear_effects"] == 1


def test_a_person_says_that_it_was_done_and_may_take_that_back(crew: Crew) -> None:
    done = crew.cto("effects", "resolve", "ab", "--done", "https://here/8")
    assert done.out == "The message of A is done: https://here/8\n"
    assert f"`git cto effects resolve {KEY[:12]} --not-done`" in done.err
    [held] = [each for each in listed(crew) if each["key"] == KEY]
    assert (held["state"], held["how"], held["url"]) == ("confirmed", "person", "https://here/8")
    assert listed(crew, "--unclear") == []
    assert "waits for a person" not in crew.cto("status").out
    crew.cto("effects", "resolve", KEY, "--not-done")
    [held] = [each for each in listed(crew) if each["key"] == KEY]
    assert (held["state"], held["url"]) == ("released", "")
    assert "done, a person says: https://here/8" in crew.cto("log").out


def test_what_is_not_done_may_be_sent_again_and_is_then_nobodys_to_say(crew: Crew) -> None:
    told = crew.cto("effects", "resolve", KEY, "--not-done")
    assert told.out == "The message of A is not done, and may be sent again\n"
    crew.record(intent(KEY))
    refused = crew.cto("effects", "resolve", KEY, "--done", "x", expect=1)
    assert refused.error == "the message is intended: no person is asked"


def test_what_an_integration_has_confirmed_is_not_a_persons_to_deny(crew: Crew) -> None:
    refused = crew.cto("effects", "resolve", OTHER, "--not-done", expect=1)
    assert refused.error == "the message is confirmed: no person is asked"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((KEY,), "say either where it is or that it is not there"),
        ((KEY, "--done", "x", "--not-done"), "say either where it is or that it is not there"),
        ((KEY, "--done", ""), "say either where it is or that it is not there"),
        (("a", "--not-done"), "2 effects have a key that begins with 'a'"),
        (("x", "--not-done"), "0 effects have a key that begins with 'x'"),
    ],
)
def test_what_cannot_be_meant_is_refused(crew: Crew, arguments: tuple[str, ...], what: str) -> None:
    assert crew.cto("effects", "resolve", *arguments, expect=2).error == what
    assert len(listed(crew, "--unclear")) == 1


def test_nothing_is_said_plainly(repo: Room) -> None:
    repo.write("policy.toml", POLICY)
    made = Crew(repo.path, repo.home, repo.environ)
    made.cto("init")
    assert made.cto("effects", "list").out == "Nothing was done outside\n"
    assert made.cto("effects", "list", "--unclear").out == "Nothing waits for a person\n"
