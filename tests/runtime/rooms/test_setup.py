"""Set-up and finishing commands: run once for the same dependencies, never half, never hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitcto.model.records import TaskState

SETUP = """
[workspace.setup]
argv = ["sh", "-c", '''echo run >> {log}; {script}''']
keyed_by = ["lock"]
keeps = ["deps", "more/deps"]
deadline_s = 30
"""
MAKE = (
    "mkdir -p deps/bin more/deps; cp lock deps/lock; ln -s ../lock deps/link; "
    "ln -s /nonexistent deps/broken; echo '#!/bin/sh' > deps/bin/tool; chmod 755 deps/bin/tool"
)
SHOW = "cat deps/lock > {0}; readlink deps/link deps/broken >> {0}; test -x deps/bin/tool"


@pytest.fixture
def ready(crew: Any) -> Any:
    crew.commit(lock="v1\n", **{".gitignore": "deps/\n"})
    return crew


def setup(crew: Any, script: str = MAKE) -> Path:
    log: Path = crew.team.root / "setup.log"
    crew.workspace("", SETUP.format(log=log, script=script))
    return log


def runs(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_it_runs_once_for_the_same_lockfile(ready: Any) -> None:
    log = setup(ready)
    ready.tasks(A=SHOW.format("a"), B=SHOW.format("b"), C=SHOW.format("c"))
    ready.team.run()
    assert sorted(ready.team.landed()) == ["A", "B", "C"]
    assert {ready.team.show(name) for name in "abc"} == {"v1\n../lock\n/nonexistent"}
    assert runs(log) == 1
    assert ready.team.git("ls-tree", "-r", "--name-only", "cto/main/integration", "deps") == ""
    ready.team.assert_clean()


def test_another_lockfile_is_another_set_up(ready: Any) -> None:
    log = setup(ready)
    ready.plan(
        ready.task("A", "echo v2 > lock"), ready.task("B", SHOW.format("b"), depends_on=("A",))
    )
    ready.team.run()
    assert ready.team.landed() == ["A", "B"]
    assert ready.team.show("b").splitlines()[0] == "v2"
    assert runs(log) == 2
    assert len(ready.left(".setups")) == 2


def test_a_worker_cannot_change_what_others_get(ready: Any) -> None:
    log = setup(ready)
    ready.plan(
        ready.task("A", "echo evil > deps/lock; echo evil > deps/bin/tool; echo a > a"),
        ready.task("B", SHOW.format("b"), depends_on=("A",)),
    )
    ready.team.run()
    assert ready.team.show("b").splitlines()[0] == "v1"
    assert runs(log) == 1


def test_its_failure_says_why_and_blocks(ready: Any) -> None:
    setup(ready, "echo fetching; echo no network; exit 3")
    ready.tasks(A="echo a > a")
    ready.team.run()
    task = ready.team.tasks()["A"]
    assert (task.state, task.charged, task.reason) == (TaskState.BLOCKED, 0, "not_started")
    assert "set-up command failed with code 3: fetching / no network" in task.detail
    assert ready.left(".setups") == []
    ready.team.assert_clean()


@pytest.mark.parametrize(
    ("script", "what"),
    [
        (f"{MAKE}; echo x >> lock", "'lock'"),
        (f"{MAKE}; echo x > new", "'new'"),
    ],
)
def test_traces_that_would_count_as_work_are_refused(ready: Any, script: str, what: str) -> None:
    setup(ready, script)
    ready.tasks(A="echo a > a")
    ready.team.run()
    task = ready.team.tasks()["A"]
    assert task.reason == "dirty_start"
    assert f"the set-up command changed {what}" in task.detail


@pytest.mark.parametrize("ignored", ["", "deps/\n!more/deps/\n"])
def test_what_git_does_not_ignore_is_not_kept(ready: Any, ignored: str) -> None:
    ready.commit(**{".gitignore": ignored})
    log = setup(ready)
    ready.tasks(A="echo a > a")
    ready.team.run()
    task = ready.team.tasks()["A"]
    assert "which git does not ignore; add it to .gitignore" in task.detail
    assert runs(log) == 0


def test_nothing_is_written_through_a_link(ready: Any) -> None:
    """An earlier task has landed a link where a later room gets what was kept."""
    outside = ready.team.root / "outside"
    outside.mkdir()
    log = setup(ready)
    ready.plan(
        ready.task("A", f"rm -r more; ln -s {outside} more"),
        ready.task("B", "echo b > b", depends_on=("A",)),
    )
    ready.team.run()
    assert ready.team.landed() == ["A"]
    assert ready.team.tasks()["B"].state is TaskState.BLOCKED
    assert runs(log) == 1
    assert list(outside.iterdir()) == []


def test_a_kill_leaves_no_half_set_up(ready: Any) -> None:
    log = setup(ready)
    ready.tasks(A=SHOW.format("a"))
    ready.die_at("setup.kept")
    ready.team.run()
    assert ready.team.landed() == ["A"]
    assert runs(log) == 2
    assert [path.name for path in ready.left(".setups")[0].iterdir() if path.is_file()] == [
        "kept.json"
    ]
    ready.team.assert_clean()


def test_a_formatter_runs_before_the_work_is_taken_up(ready: Any) -> None:
    ready.workspace("""finish = ["sh", "-c", "tr a-z A-Z < a > A && mv A a"]""")
    ready.tasks(A="echo hello > a")
    ready.team.run()
    assert ready.team.show("a") == "HELLO"


def test_a_formatter_that_fails_keeps_the_work_from_landing(ready: Any) -> None:
    ready.team.policy_text = ready.team.policy_text.replace("max_attempts = 2", "max_attempts = 1")
    ready.workspace("""finish = ["sh", "-c", "echo no such rule; exit 2"]""")
    ready.tasks(A="echo hello > a")
    ready.team.run()
    task = ready.team.tasks()["A"]
    assert (task.reason, task.commit) == ("worker_finish", "")
    assert task.detail == "the finishing command failed with code 2: no such rule"
    assert [ready.team.show("a", ref) for ref in ready.team.preserved()] == ["hello"]


def test_a_worker_that_took_its_home_away_fails_alone(ready: Any) -> None:
    ready.workspace("""finish = ["true"]""")
    ready.plan(
        ready.task("A", 'echo x > a; cd / && rm -r "$HOME" && echo x > "$HOME"'),
        ready.task("B", "echo x > b"),
    )
    ready.team.run()
    assert ready.team.landed() == ["B"]
    task = ready.team.tasks()["A"]
    assert task.reason == "worker_finish"
    assert "home" in task.detail


@pytest.mark.usefixtures("bwrap")
def test_both_run_in_the_sandbox(ready: Any) -> None:
    """At level strict they see and reach no more than a worker, and do their work all the same."""
    ready.team.policy_text = ready.team.policy_text.replace('"none"', '"strict"')
    secret = ready.team.root / "secret"
    secret.write_text("secret\n")
    try_out = f"cat {secret} > deps/seen; echo evil > {secret}; echo evil > {ready.rooms}/evil"
    script = f"{MAKE}; ({try_out}); true"
    setting = SETUP.format(log="/dev/null", script=script)
    ready.workspace("""finish = ["sh", "-c", "tr a-z A-Z < a > A && mv A a || true"]""", setting)
    ready.tasks(A=f"{SHOW.format('a')}; cat deps/seen >> a", B=SHOW.format("b"))
    ready.team.run()
    assert sorted(ready.team.landed()) == ["A", "B"]
    assert ready.team.show("a").split() == ["V1", "../LOCK", "/NONEXISTENT"]
    assert secret.read_text() == "secret\n"
    assert not (ready.rooms / "evil").exists()
    assert len(ready.left(".setups")) == 1
