"""`git cto mail` inside a worker, in whatever sandbox."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from gitcto.model.mail_records import MailState
from tests.runtime.mail.conftest import MailTeam, escaped

SCRIPT = r"""
set -e
cto() { python3 -I -c 'import sys; from gitcto.cli.entry import main; sys.exit(main())' "$@"; }
cto mail send lead --subject 'which API?' --body 'v1 or v2' --key question
i=0
until cto mail inbox >> seen && grep -q 'use v2' seen; do
    i=$((i + 1)); [ $i -lt 60 ] || exit 9; sleep 0.2
done
cto mail inbox --json > inbox.json
cto mail send nobody --subject lost
cto mail ack 99 2> refused && exit 8
cto mail dead 2>> refused && exit 7
cto mail ack 2 --note 'v2 it is'
cto mail inbox > after
"""


def test_a_worker_reads_answers_and_acknowledges(team: MailTeam, level: str) -> None:
    team.at_level(level)
    team.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    team.policy_text = team.policy_text.replace(
        'plugin = "fake"', f'plugin = "command"\nargv = ["sh", "-c", {json.dumps(escaped(SCRIPT))}]'
    )
    team.plan(team.task("A", []))
    answered: list[str] = []

    def answer(event: object) -> None:
        if not answered:
            answered.append(str(event))
            team.send("task:A", "use v2", body="not v1", reply_to=1)

    team.told.on["mail.sent"] = answer
    team.run()
    assert team.landed() == ["A"], (team.told.notes, team.tasks()["A"])
    asked, told = team.mail()[1], team.mail()[2]
    assert (asked.sender, asked.body, asked.key) == ("task:A", "v1 or v2", "question")
    assert (told.state, told.note) == (MailState.ACTED, "v2 it is")
    assert "Mail 2 from person:ada (answers 1): use v2\n  not v1" in team.show("seen")
    [letter] = json.loads(team.show("inbox.json"))["mail"]
    assert letter["reply_to"] == 1
    refused = team.show("refused")
    assert "no message 99 waits here" in refused
    assert "a worker cannot do this (CTO_MAIL is set)" in refused
    assert "use v2" not in team.show("after")
    assert len(team.mail()) == 2
    team.tally()
