"""Mailboxes of workers that do not mean well: nothing is read or written beyond their room."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from gitcto import mailbox
from gitcto.errors import CtoError
from gitcto.mail_contracts import ACKED, INBOX, OUTBOX, Letter, SendRequest
from gitcto.mailbox import BOXES, files, make_mailbox, marks, messages, path_in
from gitcto.model.mail_records import MailState
from tests.runtime.mail.conftest import MailTeam, escaped

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = r"""
import json, os
from pathlib import Path
mail = Path(os.environ["CTO_MAIL"])
def leave(name, **told):
    (mail / name).write_text(json.dumps({"to": "lead", "subject": name} | told))
    (mail / name).rename(mail / "outbox" / name)
leave("01-ok.json")
leave("02-forged.json", sender="person:ada")
leave("03-to-nobody.json", to="task:nobody")
leave("04-urgent.json", to="task:B", urgency="stop")
leave("05-long.json", body="x" * 20000)
leave("06-huge.json", body="x" * 90000)
leave("07-number.json", subject=7)
leave("08-itself.json", to="task:A")
(mail / "outbox" / "09-text.json").write_text("not json")
(mail / "outbox" / "10-deep.json").write_text("[" * 60000)
(mail / "outbox" / "11-link.json").symlink_to(SECRET)
os.mkfifo(mail / "outbox" / "12-pipe.json")
(mail / "outbox" / "13-folder.json").mkdir()
(mail / "outbox" / "..json").write_text("{}")
(mail / "outbox" / "bad\nname.json").write_text("{}")
for number in ("1", "99", "0", "-1", "x"):
    (mail / "acked" / number).write_text("mine")
Path(os.environ["CTO_TASK"]).write_text("done\n")
"""


def test_only_what_may_be_sent_is_sent(team: MailTeam, level: str) -> None:
    team.at_level(level)
    secret = team.root / "secret"
    secret.write_text(json.dumps({"to": "lead", "subject": "stolen"}))
    program = HOSTILE.replace("SECRET", repr(str(secret)))
    team.policy_text = team.policy_text.replace(
        'plugin = "fake"',
        f'plugin = "command"\nargv = {json.dumps([sys.executable, "-c", escaped(program)])}',
    )
    team.plan(team.task("A", []), team.task("B", [], depends_on=("A",)))
    team.send("lead", "a question to somebody else")
    team.run()
    assert sorted(team.landed()) == ["A", "B"], (team.told.notes, team.tasks()["A"].detail)
    sent = [mail for mail in team.mail().values() if mail.sender == "task:A"]
    assert [(mail.subject, mail.recipient) for mail in sent] == [("01-ok.json", "lead")]
    assert team.mail()[1].state is MailState.DELIVERED, "it was not the worker's to act on"
    assert secret.exists()
    told = [note for note in team.told.notes if "not sent" in note]
    assert len(told) == 2, "one line for each worker, not for each file"
    team.tally()


def test_of_a_worker_that_floods_so_much_is_taken_and_no_more(team: MailTeam) -> None:
    team.policy_text += "[mail]\nper_task = 12\n"
    flood = [
        {"do": "send_mail", "to": "lead", "subject": f"{n}", "name": f"{n}"} for n in range(90)
    ]
    done = {"do": "write", "path": "a", "text": "a\n"}
    team.plan(team.task("A", [*flood, {"do": "exit", "code": 1}], [*flood[:20], done]))
    team.run()
    assert team.landed() == ["A"]
    assert len(team.mail()) == 12
    team.tally()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    make_mailbox(scratch)
    return scratch


@pytest.mark.parametrize("box", ["", *BOXES])
def test_no_link_is_followed_in_any_direction(scratch: Path, tmp_path: Path, box: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    for each in BOXES:
        (elsewhere / each).mkdir(parents=True)
        for name in ("7.json", "7", "x.json"):
            (elsewhere / each / name).write_text("{}")
    place = path_in(scratch) / box if box else path_in(scratch)
    place.rename(tmp_path / "aside")
    place.symlink_to(elsewhere / box if box else elsewhere)
    before = sorted((str(p), p.stat().st_mtime_ns) for p in elsewhere.rglob("*"))
    letter = Letter(number=7, sender="lead", subject="s")
    request = SendRequest(letter=letter, execution="x", scratch=scratch, settings={})
    taken = mailbox.leave_in_mailbox(request).status == "taken"
    seen = {each: len(files(scratch, each)) for each in BOXES}
    assert taken == (box not in {"", INBOX})
    assert {each: n for each, n in seen.items() if n} == ({INBOX: 1} if taken else {})
    for each in (OUTBOX, ACKED):
        with pytest.raises(CtoError) if box in {"", each} else nullcontext():
            mailbox.remove(scratch, each, "x.json")
    assert sorted((str(p), p.stat().st_mtime_ns) for p in elsewhere.rglob("*")) == before


def test_a_letter_replaces_whatever_has_its_name(scratch: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    (path_in(scratch) / INBOX / "7.json").symlink_to(victim)
    (path_in(scratch) / INBOX / ".7.json.new").symlink_to(victim)
    letter = Letter(number=7, sender="lead", subject="s", body="b")
    request = SendRequest(letter=letter, execution="x", scratch=scratch, settings={})
    assert mailbox.leave_in_mailbox(request).status == "taken"
    [found] = files(scratch, INBOX)
    assert json.loads(found.data)["body"] == "b"
    assert victim.read_text() == "mine\n"


def test_what_is_no_file_is_named_and_not_waited_for(scratch: Path) -> None:
    outbox = path_in(scratch) / OUTBOX
    os.mkfifo(outbox / "pipe.json")
    (outbox / "long.json").write_bytes(b"x" * (mailbox.MAX_FILE + 1))
    (outbox / "none.json").symlink_to("nowhere")
    found = {each.name: each.problem for each in messages(scratch)}
    assert found == {
        "pipe.json": "it is not a regular file",
        "long.json": "it has more than 65536 bytes",
        "none.json": "it is not a file that can be read",
    }
    for name in ("3", "4.json", "04", "0", "5x", "9" * 12):
        (path_in(scratch) / ACKED / name).touch()
    assert sorted(marks(scratch, ACKED)) == [3, 4]


def test_what_cannot_be_handed_over_is_dead_in_the_end(team: MailTeam) -> None:
    """The worker has no inbox any more, so its provider fails; the run goes on."""
    team.policy_text = team.policy_text.replace(
        'plugin = "fake"',
        f'plugin = "command"\nargv = ["sh", "-c", {json.dumps(escaped(SPOILING))}]',
    )
    team.policy_text += "[mail]\nmax_tries = 2\nbackoff_s = 1\n"
    team.plan(team.task("A", []))

    def go_on(_event: object) -> None:
        [scratch] = team.rooms.glob("main/*/scratch")
        (scratch / "go").touch()

    team.told.on["mail.sent"] = lambda _: team.send("task:A", "hello")
    team.told.on["mail.dead"] = go_on
    team.run()
    assert team.landed() == ["A"], (team.told.notes, team.tasks()["A"])
    mail = team.mail()[2]
    assert (mail.state, mail.tries) == (MailState.DEAD, 2)
    assert mail.reason.startswith("too many tries: cannot write mail/inbox/2.json")
    assert team.tally().dead == {2}


SPOILING = """
rm -rf "$CTO_MAIL/inbox"
echo '{"to": "lead", "subject": "ready"}' > "$CTO_MAIL/x"
mv "$CTO_MAIL/x" "$CTO_MAIL/outbox/x.json"
until [ -e "$CTO_MAIL/../go" ]; do sleep 0.1; done
echo done > a
"""
