"""Two clones that share a ledger write to each other's workers: one order, nothing twice."""

from __future__ import annotations

import pytest

from gitcto.model.mail_records import MailState
from tests.runtime.shared.conftest import Hub

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


def test_two_clones_send_and_the_one_with_the_worker_delivers(hub: Hub) -> None:
    first = hub.first()
    first.cto("init")
    last = [{"do": "await_mail", "subject": f"from {name} 2"} for name in "ab"]
    read = {"do": "await_mail", "save": "read"}
    first.plan_more(hub.task(first, "A", *last, read, {"do": "ack_mail"}))
    second = hub.another()
    second.cto("init")
    run = first.start("run")
    for number in (1, 1, 2):  # the first one twice
        asked = (f"from {name} {number}" for name in "ab")
        sends = [
            clone.start("mail", "send", "A", "-s", subject, "--key", subject)
            for clone, subject in zip((first, second), asked, strict=True)
        ]
        ends = [process.communicate(timeout=100) for process in sends]
        assert [process.returncode for process in sends] == [0, 0], ends
    out, err = run.communicate(timeout=100)
    assert run.returncode == 0, out + err
    with second.ledger() as ledger:
        second.shared().look()
        mail = ledger.newest_mail(10)
    assert sorted(each.subject for each in mail) == [
        "from a 1",
        "from a 2",
        "from b 1",
        "from b 2",
    ]
    assert {each.state for each in mail} == {MailState.ACTED}
    hub.assert_agreed()
