"""The page of what others lost is about tests that are there, and each is named after a report."""

import re

from tests.acceptance.peers.elsewhere import HERE, Loss, losses

MANY = 25


def number(loss: Loss) -> str:
    return loss.threads[0].rpartition("#")[2]


def test_every_report_has_a_test_named_after_it() -> None:
    found = list(losses())
    assert len(found) >= MANY
    assert [each.test for each in found if not each.test.endswith(f"_{number(each)}")] == []
    assert [each.test for each in found if not each.here.endswith(".") or "|" in each.here] == []


def test_every_thread_can_be_looked_up() -> None:
    threads = {thread for each in losses() for thread in each.threads}
    assert [each for each in threads if not re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", each)] == []


def test_every_test_of_what_others_lost_says_so() -> None:
    written = {
        name
        for path in HERE.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {each.test for each in losses()} == written
