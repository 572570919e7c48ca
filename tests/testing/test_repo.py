from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from gitcto.testing.outcome import Outcome
from gitcto.testing.repo import (
    CtoRepo,
    UncheckedOutcomeError,
    YouForgotToChooseADirectoryError,
    console_script,
)

if TYPE_CHECKING:
    from pathlib import Path

LINE = '{"actor":"ada","body":{"kind":"team.created"},"id":"x","prev":"","ts":1,"v":1}'


def record(repo: CtoRepo, line: str) -> None:
    """Append to a ledger as the store would: a subject for people, a line for machines."""
    tree = repo.git("hash-object", "-t", "tree", "-w", "/dev/null")
    old = repo.git("for-each-ref", "--format=%(objectname)", "refs/cto/teams/main/ledger")
    parent = ["-p", old] if old else []
    new = repo.git("commit-tree", tree, *parent, "-m", "a subject", "-m", line)
    repo.git("update-ref", "refs/cto/teams/main/ledger", new)


def test_verbs_chain_and_commits_are_the_same_everywhere(tmp_path: Path) -> None:
    tips = []
    for name in ("one", "two"):
        repo = CtoRepo(tmp_path / name).commit("a.py", "x = 1\n").branch("good")
        tips.append(repo.commit("a.py", "x = 2\n").oid())
        assert repo.git("log", "--format=%an %s", "good") == "Ada change a.py"
        assert repo.git("status", "--porcelain") == ""
    assert tips[0] == tips[1]


def test_the_environment_is_hermetic(cto_repo: CtoRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("SOME_SECRET", "canary")
    assert cto_repo.git("config", "--global", "--list") == ""
    assert cto_repo.git("rev-parse", "--show-toplevel") == str(cto_repo.path.resolve())
    assert not set(os.environ.values()) & {"canary"} & set(cto_repo.environment.values())
    assert cto_repo.environment["HOME"].startswith(str(cto_repo.root))


def test_the_real_console_script_runs(cto_repo: CtoRepo) -> None:
    outcome = cto_repo.run("--version")
    assert outcome.out.startswith("git cto ")
    assert outcome.err == ""
    assert console_script().startswith(sys.prefix)


def test_an_unexpected_exit_code_fails_at_once(cto_repo: CtoRepo) -> None:
    with pytest.raises(UncheckedOutcomeError, match="expected exit code 0") as caught:
        cto_repo.run("no-such-command")
    assert "exit code 2" in str(caught.value)
    assert "stderr:\n    error: " in str(caught.value)
    cto_repo.run("no-such-command", expect_exit=2)


def test_an_outcome_nobody_looked_at_fails_at_the_end(tmp_path: Path) -> None:
    repo = CtoRepo(tmp_path / "world")
    outcome = repo.run("no-such-command", expect_exit=None)
    with pytest.raises(UncheckedOutcomeError, match="nobody checked"):
        repo.close()
    assert repo.checked(outcome) == 2
    repo.close()


def test_git_failing_fails_the_test(cto_repo: CtoRepo) -> None:
    with pytest.raises(UncheckedOutcomeError, match="exit code 128"):
        cto_repo.git("rev-parse", "--verify", "nope")


def test_a_repository_inside_another_is_refused(cto_repo: CtoRepo) -> None:
    with pytest.raises(YouForgotToChooseADirectoryError, match="lies in repository"):
        CtoRepo(cto_repo.path / "inner")


def test_events_are_read_from_the_refs(cto_repo: CtoRepo) -> None:
    record(cto_repo, LINE)
    record(cto_repo, LINE.replace("created", "mode_changed"))
    assert [event["body"]["kind"] for event in cto_repo.events()] == [
        "team.created",
        "team.mode_changed",
    ]
    assert len(cto_repo.events("team.created")) == 1
    assert cto_repo.run("--version").events() == []


def test_an_outcome_reads_json() -> None:
    outcome = Outcome(command="x", code=0, out='{"a": 1}\n[2]\n', err="", _appended=list)
    assert outcome.lines() == [{"a": 1}, [2]]
    assert outcome.events() == []
    one = Outcome(command="x", code=0, out='{"a": 1}\n', err="", _appended=list)
    assert one.json() == {"a": 1}
