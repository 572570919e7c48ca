from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gitcto.git.refs import Refs
from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from tests.cli.conftest import Crew

PREFIX = "refs/cto/teams/main/preserved/"
TIP = "e1.worker"


@pytest.fixture
def kept(crew: Crew) -> Crew:
    """A failed attempt e1 whose files are kept, and a commit that its worker left behind."""
    crew.plan(TaskSpec(id="A", title="a"))
    base = crew.git("rev-parse", "HEAD")
    crew.lease("A")
    crew.write("b.py", "y = 1\n")
    crew.git("add", "b.py")
    crew.git("commit", "-q", "-m", "attempt")
    crew.git("update-ref", f"{PREFIX}e1", "HEAD")
    crew.git("reset", "-q", "--hard", base)
    crew.write("c.py", "z = 1\n")
    crew.git("add", "c.py")
    crew.git("commit", "-q", "-m", "side")
    tip = crew.git("rev-parse", "HEAD")
    crew.git("update-ref", f"{PREFIX}{TIP}/{tip}", "HEAD")
    crew.git("reset", "-q", "--hard", base)
    crew.end(crew.git("rev-parse", f"{PREFIX}e1"))
    return crew


def refs(crew: Crew) -> list[str]:
    found = crew.git("for-each-ref", "--format=%(refname)", PREFIX).split()
    return [ref.removeprefix(PREFIX).partition("/")[0] for ref in found]


def side(crew: Crew) -> str:
    """Return the id of the worker's commit as the list shows it."""
    return crew.cto("preserved", "list").out.splitlines()[-1].split()[0]


def test_nothing_kept_is_said(crew: Crew) -> None:
    assert crew.cto("preserved", "list").out == "Nothing is kept\n"


def test_list_says_what_why_and_how_much(kept: Crew) -> None:
    header, first, second = kept.cto("preserved", "list").out.splitlines()
    assert header.split() == ["ID", "TASK", "AGE", "FILES", "WHY"]
    assert first.split()[:2] == ["e1", "A"]
    assert "gate_failed: tests: 2 failed" in first
    assert second.startswith("e1.worker/")
    assert "committed by the worker" in second
    told = json.loads(kept.cto("preserved", "list", "--json").out)["preserved"]
    assert [(each["task"], each["files"], each["by_worker"]) for each in told] == [
        ("A", 1, False),
        ("A", 1, True),
    ]


def test_show_has_the_reason_and_the_files(kept: Crew) -> None:
    out = kept.cto("preserved", "show", "e1").out
    assert "gate_failed: tests: 2 failed" in out
    assert "b.py" in out
    assert "c.py" in kept.cto("preserved", "show", side(kept)).out


def test_an_unknown_or_unclear_id_is_refused(kept: Crew) -> None:
    assert "no 'x' is kept" in kept.cto("preserved", "show", "x", expect=2).error
    assert "no 'e' is kept" in kept.cto("preserved", "show", "e", expect=2).error
    assert "no 'e1.worker' is kept" in kept.cto("preserved", "show", TIP, expect=2).error
    first = kept.git("rev-parse", "HEAD")
    like = side(kept).partition("/")[2][:4]
    twins = [f"{PREFIX}{TIP}/{like}{digit * 36}" for digit in "01"]
    for twin in twins:
        kept.git("update-ref", twin, first)
    unclear = kept.cto("preserved", "show", f"{TIP}/{like}", expect=2).error
    assert "3 of them begin with" in unclear


def test_restore_makes_a_branch_and_touches_no_checkout(kept: Crew) -> None:
    before = kept.git("status", "--porcelain"), kept.git("rev-parse", "HEAD")
    result = kept.cto("preserved", "restore", "e1")
    assert "git branch -D restored/A-1" in result.err
    assert kept.git("show", "restored/A-1:b.py") == "y = 1"
    assert (kept.git("status", "--porcelain"), kept.git("rev-parse", "HEAD")) == before
    assert "was already" in kept.cto("preserved", "restore", "e1").out
    kept.cto("preserved", "restore", side(kept), "--branch", "side")
    assert kept.git("show", "side:c.py") == "z = 1"
    assert refs(kept) == ["e1", TIP]


@pytest.mark.parametrize(("name", "code"), [("main", 1), ("a..b", 2), ("-x", 2), ("HEAD", 2)])
def test_restore_takes_no_name_that_is_bad_or_used(kept: Crew, name: str, code: int) -> None:
    head = kept.git("rev-parse", "main")
    assert kept.cto("preserved", "restore", "e1", f"--branch={name}", expect=code).error
    assert kept.git("rev-parse", "main") == head


def test_drop_without_a_terminal_needs_yes(kept: Crew) -> None:
    assert "must be confirmed" in kept.cto("preserved", "drop", "e1", expect=2).error
    assert refs(kept) == ["e1", TIP]


def test_drop_is_recorded_and_can_be_taken_back(kept: Crew) -> None:
    commit = kept.git("rev-parse", f"{PREFIX}e1")
    result = kept.cto("preserved", "drop", "e1", "--yes", "--reason", "superseded")
    assert commit in result.out
    assert refs(kept) == [TIP]
    event = json.loads(kept.cto("log", "-n", "1", "--json").out)["events"][0]["event"]["body"]
    assert event["kind"] == "work.discarded"
    assert (event["commit"], event["reason"]) == (commit, "superseded")
    assert event["ref"] == f"{PREFIX}e1"
    assert "discarded (superseded)" in kept.cto("log", "-n", "1").out
    assert f"{PREFIX}e1\n" not in kept.cto("show", "A").out
    assert "no 'e1' is kept" in kept.cto("preserved", "drop", "e1", "--yes", expect=2).error
    assert refs(kept) == [TIP]


def test_the_ref_goes_only_after_the_event_and_the_next_run_finishes(
    kept: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Refs, "delete", die)
        kept.cto("preserved", "drop", "e1", "--yes", expect=130)
    assert refs(kept) == ["e1", TIP]
    assert [line.split()[0] for line in kept.cto("preserved", "list").out.splitlines()[1:]] == [
        f"{TIP}/{kept.git('for-each-ref', '--format=%(objectname:short=12)', PREFIX + TIP)}"
    ]
    kept.cto("run", expect=1)
    assert refs(kept) == [TIP]


def test_a_ref_that_has_moved_since_is_not_dropped(kept: Crew) -> None:
    kept.cto("preserved", "drop", "e1", "--yes")
    kept.git("update-ref", f"{PREFIX}e1", "HEAD")
    kept.cto("run", expect=1)
    assert refs(kept) == ["e1", TIP]
    assert "e1 " in kept.cto("preserved", "list").out
