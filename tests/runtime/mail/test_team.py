"""Real runs in which people and workers write to each other."""

from __future__ import annotations

import json
import threading

from gitcto.model import mail_events as ev
from gitcto.model.codec import Event
from gitcto.model.mail_records import MailState
from gitcto.model.records import TaskState
from tests.runtime.mail.conftest import MailTeam
from tests.runtime.team.conftest import write

AWAIT = {"do": "await_mail", "subject": "other API", "save": "mail.jsonl"}
ACK = {"do": "ack_mail", "note": "used it"}


def test_a_running_worker_gets_a_message_and_acts_on_it(team: MailTeam, level: str) -> None:
    team.at_level(level)
    team.plan(team.task("A", [AWAIT, ACK]))
    team.when_started("A", "use the other API", body="the one in v2\n")
    team.run()
    assert team.landed() == ["A"]
    [letter] = map(json.loads, team.show("mail.jsonl").splitlines())
    assert (letter["mail"], letter["from"], letter["body"]) == (1, "person:ada", "the one in v2\n")
    mail = team.mail()[1]
    assert (mail.state, mail.acted_by, mail.note) == (MailState.ACTED, "task:A", "used it")
    kinds = [event.kind for event in team.events() if event.kind.startswith("mail.")]
    assert kinds == ["mail.sent", "mail.delivered", "mail.shown", "mail.acted"]
    assert team.tally().acted == {1}


def test_messages_of_a_route_come_in_the_order_in_which_they_were_sent(team: MailTeam) -> None:
    last = {"do": "await_mail", "subject": "20", "save": "mail.jsonl"}
    everything = {"do": "await_mail", "save": "all.jsonl"}
    team.plan(team.task("A", [last, everything, {"do": "ack_mail"}]))
    team.when_started("A", *(f"message {number}" for number in range(1, 21)))
    team.run()
    letters = [json.loads(line) for line in team.show("all.jsonl").splitlines()]
    assert [each["subject"] for each in letters] == [f"message {n}" for n in range(1, 21)]
    assert team.tally().acted == frozenset(range(1, 21))


def test_a_worker_asks_a_person_and_tells_another_worker(team: MailTeam, level: str) -> None:
    team.at_level(level)
    question = {"do": "send_mail", "to": "lead", "subject": "which API?", "body": "v1 or v2"}
    word = {"do": "send_mail", "to": "task:B", "subject": "I use v2"}
    heard = {"do": "await_mail", "subject": "I use v2", "save": "heard"}
    team.plan(
        team.task("A", [question, word, {"do": "await_taken"}, write("a", "a\n")]),
        team.task("B", [heard, {"do": "ack_mail"}]),
    )
    team.run()
    assert sorted(team.landed()) == ["A", "B"]
    by_subject = {mail.subject: mail for mail in team.mail().values()}
    asked, told = by_subject["which API?"], by_subject["I use v2"]
    assert (asked.sender, asked.recipient, asked.state) == ("task:A", "lead", MailState.DELIVERED)
    assert (told.sender, told.state, told.acted_by) == ("task:A", MailState.ACTED, "task:B")
    assert asked.source == team.tasks()["A"].execution
    assert team.tally().under_way == {asked.number}


def test_what_a_worker_sent_with_its_last_breath_arrives(team: MailTeam) -> None:
    words = [{"do": "send_mail", "to": "lead", "subject": f"word {number}"} for number in range(20)]
    team.plan(team.task("A", [*words, {"do": "exit", "code": 1}], [*words, write("a", "a\n")]))
    team.run()
    assert {mail.subject for mail in team.mail().values()} == {f"word {n}" for n in range(20)}
    assert len(team.mail()) == 40
    team.tally()


def test_a_message_that_nobody_acted_on_is_in_the_next_prompt(team: MailTeam) -> None:
    seen = [{"do": "await_mail", "subject": "mind"}, {"do": "exit", "code": 3}]
    team.plan(team.task("A", seen, [write("a", "a\n")]))
    team.when_started("A", "mind the tests", body="they are slow\nrun one")
    prompts: list[str] = []

    def look(_event: object) -> None:
        found = sorted(team.rooms.glob("main/*/scratch/prompt.md"))
        prompts.extend(path.read_text() for path in found)

    team.told.on["mail.shown"] = look
    team.run()
    assert team.landed() == ["A"]
    first, second = prompts[0], prompts[-1]
    assert "## Messages for you" not in first
    assert (
        "From person:ada, message 1:\n\n> mind the tests\n>\n> they are slow\n> run one" in second
    )
    given = [e.body for e in team.events() if isinstance(e.body, ev.MailDelivered)]
    assert [body.way for body in given] == ["send", "prompt"]
    shown = [e.body for e in team.events() if isinstance(e.body, ev.MailShown)]
    assert len({body.execution for body in shown}) == 2
    assert team.tally().dead == {1}
    assert team.mail()[1].reason == "its task was done before anybody acted on it"


def test_a_stop_ends_the_worker_keeps_its_work_and_waits_for_a_person(team: MailTeam) -> None:
    ready = {"do": "send_mail", "to": "lead", "subject": "half is done"}
    team.plan(team.task("A", [write("half", "half\n"), ready, {"do": "hang"}]))
    team.told.on["mail.sent"] = lambda _: team.send("task:A", "stop", urgency="stop")
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.charged) == (TaskState.BLOCKED, "stopped", 0)
    assert task.detail == "mail 2 from person:ada: stop"
    [kept] = team.preserved()
    assert team.show("half", kept) == "half"
    assert (team.mail()[2].state, team.mail()[2].acted_by) == (MailState.ACTED, "git-cto")
    team.tally()


def test_a_deaf_worker_is_ended_all_the_same(team: MailTeam) -> None:
    team.plan(team.task("A", [{"do": "hang", "ignore": ["INT", "TERM"]}]))
    team.when_started("A", "stop", urgency="stop")
    team.run()
    assert team.tasks()["A"].state is TaskState.BLOCKED


def test_an_interrupted_worker_is_followed_by_one_that_knows_why(team: MailTeam) -> None:
    team.plan(team.task("A", [{"do": "hang"}], [write("a", "a\n")]))
    team.when_started("A", "use v2", urgency="interrupt")
    team.run()
    assert team.landed() == ["A"]
    assert team.tasks()["A"].attempts == 2
    failed = [e.body for e in team.events() if e.kind == "execution.failed"]
    assert [(b.reason, b.charged) for b in failed] == [("interrupted", False)]  # type: ignore[union-attr]
    ways = [e.body.way for e in team.events() if isinstance(e.body, ev.MailDelivered)]
    assert ways == ["prompt"]
    team.tally()


def test_a_stop_counts_that_came_when_the_worker_had_ended_and_nobody_had_looked(
    team: MailTeam,
) -> None:
    """The loop hears of the end in the same breath as of the start, before it looks again."""
    team.plan(team.task("A", [{"do": "exit", "code": 1}], [write("a", "a\n")]))

    def stopping(event: Event) -> None:
        for thread in threading.enumerate():
            if thread.name == f"attempt {getattr(event.body, 'execution', '')}":
                thread.join()
        team.send("task:A", "stop", urgency="stop")

    team.told.on["execution.started"] = stopping
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "stopped")
    assert team.tally().acted == {1}
