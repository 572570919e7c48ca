"""`git cto mail`, as a person uses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model.mail_commands import SendMail
from gitcto.model.records import TaskSpec
from gitcto.runtime.worker import workers
from gitcto.store.ledger import Ledger
from tests.cli.conftest import MAIN
from tests.cli.test_steer import leave_a_worker

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


WRITE = {"do": "write", "path": "b.py", "text": "y = 1\n"}


@pytest.fixture
def team(crew: Crew) -> Crew:
    """A team with two tasks that nobody works on."""
    crew.plan(TaskSpec(id="API-1", title="a"), TaskSpec(id="API-2", title="b"))
    return crew


def ask(crew: Crew, subject: str, to: str = "lead", sender: str = "task:API-1") -> None:
    """Have a worker write to somebody."""
    crew.record(SendMail(sender=sender, recipient=to, key=subject, subject=subject))


def test_a_message_is_sent_listed_and_shown(team: Crew) -> None:
    sent = team.cto("mail", "send", "API-1", "-b", "use v2\n\nnot v1")
    assert sent.out == "Sent mail 1 to task:API-1\n"
    assert "`git cto mail drop 1`" in sent.err
    assert "1     queued  person:ada@box  task:API-1" in team.cto("mail", "inbox", "API-1").out
    assert team.cto("mail", "inbox", "task:API-2").out == "No mail\n"
    shown = team.cto("mail", "show", "1").out
    assert "subject  use v2" in shown
    assert shown.endswith("\nuse v2\n\nnot v1\n")
    assert "mail 1 person:ada@box to task:API-1: use v2" in team.cto("log").out
    assert "mail 1" in team.cto("log", "--task", "API-1").out
    assert "mail 1" not in team.cto("log", "--task", "API-2").out


def test_the_same_key_sends_once(team: Crew) -> None:
    arguments = ("mail", "send", "API-1", "-s", "hello", "--key", "k")
    team.cto(*arguments)
    assert team.cto(*arguments).out == "Mail 1 to task:API-1 was sent with this key already\n"
    told = json.loads(team.cto(*arguments, "--json").out)
    assert (told["mail"], told["new"]) == (1, False)


def test_a_body_comes_from_a_file_and_artifacts_go_along(team: Crew) -> None:
    team.write("notes.txt", "Look here\nand there\n")
    team.write("shot.bin", b"\0\1")
    arguments = ("--file", "notes.txt", "--artifact", "shot.bin")
    team.cto("mail", "send", "API-1", *arguments)
    mail = json.loads(team.cto("mail", "show", "1", "--json").out)
    assert (mail["subject"], mail["body"]) == ("Look here", "Look here\nand there\n")
    assert team.git("cat-file", "-p", "refs/cto/teams/main/ledger:mail/shot.bin") == "\0\1"
    assert mail["artifacts"] == {"shot.bin": team.git("hash-object", "shot.bin")}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("API-3", "-s", "x"), 2, "'API-3', did you mean `API-2` or `API-1`?"),
        (("led", "-s", "x"), 2, "nobody has the address 'led', did you mean `lead`?"),
        (("person:", "-s", "x"), 2, "'person:' is no address"),
        (("API-1",), 2, "say something"),
        (("API-1", "-b", "x", "--file", "y"), 2, "give the body once"),
        (("API-1", "--file", "nowhere"), 2, "cannot read nowhere"),
        (("API-1", "-s", "x", "--artifact", "nowhere"), 2, "cannot read nowhere"),
        (("API-1", "-s", "x", "--reply-to", "9"), 1, "there is no message 9 to answer"),
        (("API-1", "-s", "x", "--stop"), 1, "no worker of task:API-1 can be stopped: it is queued"),
        (("lead", "-s", "x", "--interrupt"), 1, "no worker of lead can be stopped"),
        (("API-1", "-s", "x", "-b", "y" * 20_000), 1, "a body is text of at most 16384 bytes"),
        (("API-1", "-s", "two\nlines"), 1, "a subject is one line"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    team: Crew, arguments: tuple[str, ...], code: int, said: str
) -> None:
    assert said in team.cto("mail", "send", *arguments, expect=code).error
    assert team.cto("mail", "inbox", "--all").out == "No mail\n"


def test_a_person_reads_what_is_theirs_and_acknowledges_it(team: Crew) -> None:
    for number in range(1, 8):
        ask(team, f"question {number}", to="person:bob" if number == 4 else "lead")
    ask(team, "for ada", to="person:ada")
    inbox = team.cto("mail", "inbox")
    numbers = [line.split()[0] for line in inbox.out.splitlines()[1:]]
    assert numbers == ["8", "7", "6", "5", "3", "2", "1"]
    assert "`git cto mail send task:API-1 --reply-to 1`" in inbox.err
    acted = team.cto("mail", "ack", "2-5", "7,8", "--note", "answered")
    assert acted.out == "Acted on 2-3,5,7-8\n"
    left = json.loads(team.cto("mail", "inbox", "--json").out)["mail"]
    assert sorted(mail["number"] for mail in left) == [1, 6]
    assert team.cto("mail", "ack", "2").out == "2 was acted on already\n"
    shown = json.loads(team.cto("mail", "show", "2", "--json").out)
    assert (shown["state"], shown["acted_by"], shown["note"]) == (
        "acted",
        "person:ada@box",
        "answered",
    )
    ask(team, "to a worker", to="task:API-2")
    assert "is for task:API-2" in team.cto("mail", "ack", "9", expect=1).error
    assert team.cto("mail", "ack", "99", expect=1).error == "there is no message 99"
    for nonsense in ("0", "x", "5-2", "1-"):
        assert "names no messages" in team.cto("mail", "ack", nonsense, expect=2).error
    assert "none of 50-60" in team.cto("mail", "ack", "50-60", expect=2).error


def test_a_message_is_taken_back_and_delivered_after_all(team: Crew) -> None:
    team.cto("mail", "send", "API-1", "-s", "never mind")
    assert team.cto("mail", "dead").out == "No message is dead\n"
    dropped = team.cto("mail", "drop", "1")
    assert dropped.out == "Took back 1\n"
    assert "`git cto mail requeue 1`" in dropped.err
    assert "taken back by ada@box" in team.cto("mail", "dead").out
    assert team.cto("mail", "drop", "1").out == "1 is over already\n"
    assert team.cto("mail", "requeue", "1").out == "Queued again: 1\n"
    assert team.cto("mail", "requeue", "1", expect=1).error == "message 1 is queued, not dead"
    assert json.loads(team.cto("mail", "dead", "--json").out)["mail"] == []


def test_a_message_to_a_failed_task_is_read_when_it_is_tried_again(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a", inputs={"script": json.dumps([[WRITE]])}))
    crew.fail("A")
    crew.cto("mail", "send", "A", "-s", "look again")
    crew.cto("retry", "A")
    crew.cto("mail", "send", "A", "-s", "and again")
    out = crew.cto("run").out
    assert "A: was shown mail 1-2" in out
    assert "mail 1-2 is dead (its task was done before anybody acted on it)" in out
    done = "message 1 is for A, which is done"
    assert crew.cto("mail", "requeue", "1", expect=1).error == done
    assert "A is done" in crew.cto("mail", "send", "A", "-s", "x", expect=1).error


def test_inside_a_gate_nothing_is_sent(team: Crew) -> None:
    team.environ["CTO_EXECUTION_DIR"] = "/x"
    assert "environment of a gate" in team.cto("mail", "send", "lead", "-s", "x", expect=1).error


def test_a_variable_that_names_no_mailbox_is_said(team: Crew) -> None:
    team.environ["CTO_MAIL"] = str(team.home)
    for arguments in (("inbox",), ("ack", "1"), ("send", "lead", "-s", "x")):
        assert "names no mailbox" in team.cto("mail", *arguments, expect=1).error


def test_a_worker_that_nobody_runs_any_more_is_stopped(crew: Crew) -> None:
    """No run is alive: the command ends the worker itself, and the next run knows why."""
    leave_a_worker(crew)
    sent = crew.cto("mail", "send", "A", "-s", "wrong API", "--stop")
    assert "Its worker is being ended, and its work is kept" in sent.out
    records = next((crew.path / ".git/cto/teams/main/executions").iterdir())
    assert workers.wait(records).cause == "stopped"
    crew.cto("run", expect=1)
    status = crew.cto("status").out
    assert "A is blocked: stopped: mail 1 from person:ada@box: wrong API" in status
    assert "acted" in crew.cto("mail", "inbox", "A").out


def test_a_run_that_is_busy_keeps_no_worker_from_being_stopped(crew: Crew) -> None:
    """The run is stopped in its tracks, which is as busy as can be."""
    script = json.dumps([[{"do": "hang", "ignore": ["INT", "TERM"]}]])
    crew.plan(TaskSpec(id="A", title="a", inputs={"script": script}))
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"],
        cwd=crew.path,
        env=crew.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        next(line for line in running.stdout if "started as process" in line)
        running.send_signal(signal.SIGSTOP)
        crew.cto("mail", "send", "A", "-s", "stop", "--stop")
        records = next((crew.path / ".git/cto/teams/main/executions").iterdir())
        ended = workers.wait(records)
        assert (ended.cause, ended.survivors) == ("stopped", 0)
        running.send_signal(signal.SIGCONT)
        out, _ = running.communicate()
    assert running.returncode == 1
    assert "attempt failed (stopped), blocked" in out


def test_a_list_costs_no_more_for_a_long_history(team: Crew) -> None:
    """Only what is under way is looked at."""
    repository = discover(team.path, team.environ)
    with Ledger(repository, "main", SystemEffects(), "x") as ledger:
        plan = ledger.sidecar().db.execute(
            "EXPLAIN QUERY PLAN SELECT body FROM mail WHERE team = ? AND state = ?", ("main", "x")
        )
        assert any("mail_state" in str(row) for row in plan)
