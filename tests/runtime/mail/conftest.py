"""A real team whose people and workers write to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gitcto.model.commands import Refusal
from gitcto.model.mail_commands import SendMail
from gitcto.model.mail_records import Mail
from gitcto.testing.invariants.mail import ACTED, DEAD, UNDER_WAY
from gitcto.testing.invariants.mail import Mail as Count
from tests.runtime.team.conftest import TeamRepo

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.model.codec import Event
    from gitcto.model.commands import Command


class Tally(NamedTuple):
    """The numbers of messages by what became of them."""

    acted: frozenset[int]
    dead: frozenset[int]
    under_way: frozenset[int]


class MailTeam(TeamRepo):
    """A team, and what a person does in another process while it runs."""

    def transact(self, command: Command) -> tuple[Event, ...]:
        with self.ledger() as ledger:
            answer = ledger.transact(command)
        assert not isinstance(answer, Refusal), answer
        return answer.events

    def send(self, to: str, subject: str, **fields: Any) -> None:
        """Send a message as a person."""
        usual = {"sender": "person:ada", "key": subject}
        self.transact(SendMail(recipient=to, subject=subject, **(usual | fields)))

    def when_started(self, task: str, *subjects: str, attempt: int = 1, **fields: Any) -> None:
        """Have messages sent as soon as an attempt at a task has its worker."""

        def sending(event: Event) -> None:
            with self.ledger() as ledger:
                execution = ledger.view().execution(getattr(event.body, "execution", ""))
            if execution and (execution.task, execution.attempt) == (task, attempt):
                for subject in subjects:
                    self.send(f"task:{task}", subject, **fields)

        self.told.on["execution.started"] = sending

    def mail(self) -> dict[int, Mail]:
        with self.ledger() as ledger:
            return {mail.number: mail for mail in ledger.newest_mail(1000)}

    def events(self) -> list[Event]:
        with self.ledger() as ledger:
            return [stored.event for stored in ledger.events()]

    def tally(self) -> Tally:
        """Return where the messages stand; nothing may be wrong with how they got there."""
        count = Count()
        assert [found for event in self.events() for found in count.see(event)] == []
        assert list(count.end(quiescent=True)) == []
        return Tally(*map(count.those, (ACTED, DEAD, UNDER_WAY)))

    def at_level(self, level: str) -> None:
        self.policy_text = self.policy_text.replace('use = ["none"]', f'use = ["{level}"]')


def escaped(program: str) -> str:
    """Return a program as a word of a provider's argv, which is a template."""
    return program.replace("{", "{{").replace("}", "}}")


@pytest.fixture
def team(tmp_path: Path) -> MailTeam:
    made = MailTeam.make(tmp_path)
    assert isinstance(made, MailTeam)
    return made


@pytest.fixture(params=["none", "strict"])
def level(request: pytest.FixtureRequest) -> str:
    if request.param == "strict":
        request.getfixturevalue("bwrap")
    return str(request.param)
