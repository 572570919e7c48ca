"""Kill the orchestrator at each step of a message's way: it arrives once, and none is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.model.mail_records import MailState
from tests.runtime.mail.conftest import MailTeam

RUN_AND_DIE = Path(__file__).parents[1] / "team" / "run_and_die.py"
POINTS = (
    ("mail.collected", 1),
    ("mail.collected", 4),
    ("mail.handed", 1),
    ("mail.handed", 3),
    ("mail.delivered", 1),
    ("mail.shown", 1),
    ("mail.acked", 1),
    ("mail.acked", 3),
    ("mail.buried", 1),
    ("ledger.object", 7),
    ("ledger.object", 9),
    ("ledger.ref", 8),
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("point", "passings"), POINTS)
def test_messages_survive_the_run_that_carries_them(
    team: MailTeam, point: str, passings: int
) -> None:
    team.save_policy()
    words = [
        {"do": "send_mail", "to": "task:A", "subject": f"do {number}", "name": f"{number}"}
        for number in (1, 2, 3)
    ]
    ignored = {"do": "send_mail", "to": "task:A", "subject": "never mind", "name": "4"}
    wait = [{"do": "await_mail", "subject": f"do {number}", "save": "read"} for number in (1, 2, 3)]
    ack = {"do": "ack_mail", "subject": "do", "note": "done"}
    late = {"do": "await_mail", "subject": "never mind"}
    team.plan(
        team.task("A", [*wait, ack, late]),
        team.task("B", [*words, ignored, {"do": "write", "path": "b", "text": "b\n"}]),
    )
    argv = [sys.executable, str(RUN_AND_DIE), str(team.root), point, str(passings)]
    died = subprocess.run(argv, env=team.environ, capture_output=True, check=False)
    assert died.returncode == -9, died.stderr.decode()[-2000:]
    team.run()
    assert sorted(team.landed()) == ["A", "B"]
    tally = team.tally()
    assert (len(tally.acted), len(tally.dead), len(tally.under_way)) == (3, 1, 0)
    read = [json.loads(line) for line in team.show("read").splitlines()]
    assert [each["subject"] for each in read] == ["do 1", "do 2", "do 3"]
    assert len({each["mail"] for each in read}) == 3
    acted = [mail for mail in team.mail().values() if mail.state is MailState.ACTED]
    assert {mail.note for mail in acted} == {"done"}
    team.assert_clean()
