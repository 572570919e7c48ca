from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from gitcto.git.repository import discover
from gitcto.model.commands import RecordStart
from gitcto.model.queue_commands import Enqueue, NoteTargetMoved
from gitcto.model.records import TaskSpec
from gitcto.runtime.core.reproduce import Refused, reproduction
from gitcto.store.reader import LedgerReader
from tests.cli.conftest import POLICY, TARGET
from tests.cli.queues import Line, red
from tests.cli.test_steer import leave_a_worker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Crew

TESTED = POLICY.replace('gates = ["nonempty"]', 'gates = ["nonempty", "tests"]')

ARGV = '["sh", "-c", "test ! -e bad || { cat bad; exit 3; }"]'


@pytest.fixture
def line(crew: Crew) -> Line:
    made = Line(crew)
    made.opened()
    return made


def rows(out: str) -> list[list[str]]:
    return [each.split() for each in out.splitlines()]


def facts(out: str) -> dict[str, str]:
    return {each[:10].strip(): each[11:] for each in reversed(out.splitlines())}


def test_an_empty_queue_says_so(crew: Crew) -> None:
    assert crew.cto("queue").out == "Nothing waits to land\n"
    assert crew.cto("queue", "order").out == "Nothing waits to land\n"
    told = json.loads(crew.cto("queue", "--json").out)
    assert told == {
        "version": 1,
        "team": "main",
        "paused": False,
        "run_alive": False,
        "runs": [],
        "waiting": [],
    }


def test_the_table_says_of_each_change_where_it_is_and_what_is_missing(line: Line) -> None:
    line.enqueued("A")
    line.enqueued("B", tier="P0")
    line.harvested("C")
    line.started(1, "B")
    done = line.crew.cto("queue")
    head, *found = rows(done.out)
    assert head == ["POS", "TASK", "TIER", "IN", "MISSING", "LAST", "EVIDENCE", "WAITS", "FOR"]
    assert found[0] == [
        "1",
        "B",
        "P0",
        "-",
        "nonempty",
        "-",
        "-",
        *["run", "1,", "which", "judges", "it"],
    ]
    assert found[1][:7] == ["2", "A", "P1", "-", "nonempty", "-", "-"]
    assert found[2][:7] == ["-", "C", "P1", "-", "nonempty", "-", "-"]
    assert " ".join(found[2][7:]) == "its place in line"
    assert "no run is alive here" in done.err
    told = json.loads(line.crew.cto("queue", "--json").out)
    assert [(row["task"], row["position"]) for row in told["waiting"]] == [
        ("B", 1),
        ("A", 2),
        ("C", 0),
    ]
    assert told["runs"] == [1]


def test_the_last_verdict_comes_with_what_proves_it(line: Line) -> None:
    tree = line.crew.git("rev-parse", "HEAD^{tree}")
    line.enqueued("A")
    line.enqueued("B")
    line.started(1, "A", "B")
    line.ended(1, "red", tree=tree, failed=("tests:t.py::t", "tests:t.py::u", "lint:"))
    _, first, _ = line.crew.cto("queue").out.splitlines()
    assert f"run 1 red, 2 tests  {tree[:12]}" in first
    (row, _) = json.loads(line.crew.cto("queue", "--json").out)["waiting"]
    assert row["last"]["failed"] == ["tests:t.py::t", "tests:t.py::u", "lint:"]
    assert row["evidence"] == tree
    shown = line.crew.cto("queue", "why", "A").out
    assert "failing    tests:t.py::t\nfailing    tests:t.py::u\nevidence" in shown


def test_nothing_is_missing_once_a_run_was_green_on_this_target(line: Line) -> None:
    tree = line.crew.git("rev-parse", "HEAD^{tree}")
    line.enqueued("A")
    line.started(1, "A")
    line.ended(1, "green", tree=tree)
    found = facts(line.crew.cto("queue", "why", "A").out)
    assert (found["missing"], found["last"]) == ("nothing", "run 1 green")
    assert found["waits for"] == "its landing, with run 1"
    line.crew.record(NoteTargetMoved(commit="c" * 40))
    found = facts(line.crew.cto("queue", "why", "A").out)
    assert found["missing"] == "nonempty"
    assert found["waits for"] == "a sweep: the target was moved by somebody else"


def test_what_an_earlier_run_of_the_team_judged_is_neither_counted_nor_read(line: Line) -> None:
    crew = line.crew
    line.enqueued("A")
    line.started(1, "A")
    line.opened()
    crew.record(Enqueue(execution="e-A", epoch=1, change="", enqueued_ms=1))
    (row,) = json.loads(crew.cto("queue", "--json").out)["waiting"]
    assert row["waits_for"] == "run 1, which starts next"
    with LedgerReader(discover(crew.path, crew.environ), "main") as reader:
        now = reader.queue_log()
        earlier = reader.queue_log(before=now[0].seq)
    assert [each.event.kind for each in now] == ["queue.opened", "queue.enqueued"]
    assert [each.event.kind for each in earlier] == [
        "queue.opened",
        "queue.enqueued",
        "queue.run_started",
    ]


def test_why_says_what_a_waiting_change_waits_for(line: Line) -> None:
    line.enqueued("A")
    line.enqueued("B")
    line.started(1, "A")
    found = facts(line.crew.cto("queue", "why", "A").out)
    assert found == {
        "task": "A: Do A",
        "state": "validating",
        "position": "1 of 2",
        "waits for": "run 1, which judges it",
        "missing": "nonempty",
        "last": "nothing was judged yet",
        "evidence": "none yet",
        "lands in": "-",
    }
    told = json.loads(line.crew.cto("queue", "why", "B", "--json").out)
    assert told["waiting"]["position"] == 2
    assert told["left"] is None


def test_why_of_a_task_that_is_not_there_yet_or_has_landed(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"), TaskSpec(id="B", title="b", depends_on=("A",)))
    assert "waits for  a worker; it asks" in crew.cto("queue", "why", "A").out
    assert "waits for  1 task that it depends on" in crew.cto("queue", "why", "B").out
    crew.lease("A")
    assert crew.cto("queue", "why", "A").out.endswith("waits for  a worker\n")
    crew.plan(TaskSpec(id="D", title="d"))
    crew.fail("D", "e2")
    done = crew.cto("queue", "why", "D")
    assert done.out.endswith("stopped    gate_failed: tests: 2 failed\n")
    assert "`git cto retry D`" in done.err
    assert "has no task 'C'" in crew.cto("queue", "why", "C", expect=2).error


def test_why_of_a_landed_task_names_its_commit(crew: Crew) -> None:
    commit = crew.land("A")
    assert f"landed as  {commit}\n" in crew.cto("queue", "why", "A").out


def test_why_of_a_real_rejection_names_the_gate_and_shows_the_change_again(crew: Crew) -> None:
    text = (crew.path / "policy.toml").read_text().replace('["nonempty"]', '["nonempty", "paths"]')
    crew.write("policy.toml", f"{text}[gates.paths]\n")
    crew.work("A", {"do": "write", "path": "b", "text": "b"}, expect=1, paths=("a",))
    base = crew.git("rev-parse", "HEAD")
    found = facts(crew.cto("queue", "why", "A").out)
    assert found["invariant"].startswith("paths:")
    assert found["base"] == base
    assert found["reproduce"] == f"git diff {base} {found['tree']}"
    assert "+b" in crew.git(*found["reproduce"].split()[1:])


@pytest.fixture
def sent_back(line: Line) -> dict[str, str]:
    """A change that was red three times: by itself on a base, with a command that says so."""
    line.crew.write("policy.toml", f'{TESTED}[gates.tests]\nplugin = "tests"\nargv = {ARGV}\n')
    line.enqueued("A")
    work, tree = line.commit({"bad": "it is bad\n", "dir/b.py": "x\n"})
    for number in (1, 2, 3):
        kind = {} if number == 1 else {"run": "confirm", "confirms": 1, "tests": ("t",)}
        line.started(number, "A", **kind)
        line.ended(number, "red", tree=tree, failed=("t.py::test_bad",))
    line.rejected("A", red(tree, "t.py::test_bad"), 1, 2, 3)
    return {"tree": tree, "work": work, "base": line.crew.git("rev-parse", "HEAD")}


def test_why_of_a_rejected_change_names_rule_tests_and_base(
    line: Line, sent_back: dict[str, str]
) -> None:
    done = line.crew.cto("queue", "why", "A")
    found = facts(done.out)
    assert found["left"] == "attempt 1 was rejected, as runs 1, 2, 3 showed"
    assert found["invariant"] == "tests:tests_failed"
    assert found["failing"] == "t.py::test_bad"
    assert found["base"] == sent_back["base"]
    assert found["tree"] == sent_back["tree"]
    assert "`git cto retry A`" in done.err
    left = json.loads(line.crew.cto("queue", "why", "A", "--json").out)["left"]
    assert left["failing"] == ["t.py::test_bad"]
    assert [run["number"] for run in left["runs"]] == [1, 2, 3]


def shell(crew: Crew, command: str, where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=where,
        env=crew.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_of_why_shows_the_same_failure_again(
    line: Line, sent_back: dict[str, str]
) -> None:
    """From the top and from a folder, whatever this checkout holds and leaving it as it was."""
    crew = line.crew
    crew.write("folder/x.txt", "x")
    before = crew.git("status", "--porcelain"), crew.git("rev-parse", "HEAD")
    command = facts(crew.cto("queue", "why", "A").out)["reproduce"]
    for where in (crew.path, crew.path / "folder"):
        done = shell(crew, command, where)
        assert (done.returncode, done.stdout, done.stderr) == (3, "it is bad\n", "")
    assert (crew.git("status", "--porcelain"), crew.git("rev-parse", "HEAD")) == before
    good = command.replace(sent_back["tree"], crew.git("rev-parse", "HEAD^{tree}"))
    assert shell(crew, good, crew.path).returncode == 0


def test_what_a_real_run_sent_back_fails_again_by_the_command_of_why(crew: Crew) -> None:
    crew.write("policy.toml", f'{TESTED}[gates.tests]\nplugin = "tests"\nargv = {ARGV}\n')
    crew.work("A", {"do": "write", "path": "bad", "text": "it is bad\n"}, expect=1)
    found = facts(crew.cto("queue", "why", "A").out)
    assert found["invariant"].startswith("tests:")
    assert found["base"] == crew.git("rev-parse", TARGET)
    assert crew.git("cat-file", "-t", found["evidence"]) == "tree"
    done = shell(crew, found["reproduce"], crew.path)
    assert (done.returncode, done.stdout) == (3, "it is bad\n")


def test_a_tree_that_git_has_lost_is_merged_again(line: Line) -> None:
    crew = line.crew
    base = crew.git("rev-parse", "HEAD")
    work, tree = line.commit({"bad": "it is bad\n"})
    refused = Refused(tree="0" * 40, onto=base, work=work)
    command = reproduction(refused, ("git", "hash-object", "bad"), present=False)
    assert refused.tree not in command
    assert shell(crew, command, crew.path).stdout == crew.git("rev-parse", f"{tree}:bad") + "\n"


def test_the_order_is_shown_with_the_keys_that_decide_it(line: Line) -> None:
    line.enqueued("A", tier="P2", priority="low")
    line.enqueued("B", tier="P1", priority="urgent")
    line.enqueued("C", tier="P0")
    line.enqueued("D", tier="P2", priority="low", overtaken=8)
    head, *found = rows(line.crew.cto("queue", "order").out)
    assert head == ["POS", "TASK", "DUE", "TIER", "BAND", "PLACE", "PRIORITY", "OVERTAKEN"]
    assert [(row[1], row[2], row[3]) for row in found] == [
        ("D", "yes", "P2"),
        ("C", "no", "P0"),
        ("B", "no", "P1"),
        ("A", "no", "P2"),
    ]
    assert line.crew.cto("queue", "order").out == line.crew.cto("queue", "order").out
    told = json.loads(line.crew.cto("queue", "order", "--json").out)["order"]
    assert [row["overtaken"] for row in told] == [8, 0, 0, 0]


def test_a_person_pauses_the_queue_and_lets_it_go_on(line: Line) -> None:
    crew = line.crew
    line.enqueued("A")
    done = crew.cto("queue", "pause", "--reason", "release day")
    assert done.out == "The queue of main is paused\n"
    assert "`git cto queue resume`" in done.err
    assert crew.cto("queue", "pause").out == "The queue of main is paused already\n"
    assert "waits for  resume: the queue is paused" in crew.cto("queue", "why", "A").out
    assert json.loads(crew.cto("queue", "--json").out)["paused"]
    assert "The merge queue is paused" in crew.cto("status").out
    assert json.loads(crew.cto("status", "--json").out)["team"]["queue_paused"]
    done = crew.cto("queue", "resume", "--json")
    assert json.loads(done.out) == {"version": 1, "team": "main", "recorded": True}
    assert "`git cto queue pause`" in done.err
    assert not json.loads(crew.cto("queue", "--json").out)["paused"]
    assert "paused" not in crew.cto("status").out
    assert "merge queue paused (release day)" in crew.cto("log").out


def test_a_person_takes_a_change_out(line: Line) -> None:
    crew = line.crew
    line.enqueued("A")
    done = crew.cto("queue", "eject", "A", "--reason", "not needed any more")
    assert done.out == "A is asked out of the queue\n"
    assert "the next `git cto run` does it; bring it back with `git cto retry A`" in done.err
    assert "its ejection: not needed any more" in crew.cto("queue", "why", "A").out


def test_only_what_waits_can_be_taken_out(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    assert crew.cto("queue", "eject", "A", expect=1).error == (
        "A is not in the queue: it is queued"
    )
    assert "has no task 'B'" in crew.cto("queue", "eject", "B", expect=2).error


def test_an_option_before_the_subcommand_is_not_silently_ignored(crew: Crew) -> None:
    assert "write --json behind 'order'" in crew.cto("queue", "--json", "order", expect=2).error
    assert "write --team behind 'order'" in (
        crew.cto("queue", "--team", "main", "order", expect=2).error
    )


def test_a_broken_policy_does_not_hide_the_queue(crew: Crew) -> None:
    crew.land("A")
    crew.write("policy.toml", "version = [")
    done = crew.cto("queue")
    assert done.out == "Nothing waits to land\n"
    assert "going by the policy that team main adopted last" in done.err


def objects(crew: Crew) -> str:
    return crew.git("count-objects", "-v")


def test_conflicts_between_waiting_changes_and_with_the_target_are_predicted(line: Line) -> None:
    crew = line.crew
    line.harvested("A", {"a.py": "x = 2\n"})
    line.harvested("B", {"a.py": "x = 3\n"})
    line.harvested("C", {"c.py": "y = 1\n"})
    tip, _ = line.commit({"c.py": "y = 2\n"})
    crew.git("update-ref", "refs/heads/cto/main/integration", tip)
    before = objects(crew)
    done = crew.cto("queue", "conflicts")
    assert rows(done.out) == [
        ["TASK", "AND", "CONFLICT", "PATHS"],
        ["C", "the", "target", "certain", "c.py"],
        ["A", "B", "certain", "a.py"],
    ]
    assert done.err == ""
    assert objects(crew) == before
    assert list((crew.path / ".git" / "cto").glob("sketch.*")) == []
    told = json.loads(crew.cto("queue", "conflicts", "--json").out)
    assert told["conflicts"][1]["detail"].startswith("CONFLICT (add/add)") or told["conflicts"][1][
        "detail"
    ].startswith("CONFLICT (content)")


def test_changes_of_the_same_file_that_git_can_merge_are_no_conflict(line: Line) -> None:
    crew = line.crew
    text = "".join(f"line {number}\n" for number in range(20))
    crew.write("long.txt", text)
    crew.git("add", "long.txt")
    crew.git("commit", "-q", "-m", "long")
    line.harvested("A", {"long.txt": text.replace("line 1\n", "one\n")})
    line.harvested("B", {"long.txt": text.replace("line 18\n", "eighteen\n")})
    assert crew.cto("queue", "conflicts").out == "No conflict among 2 changes\n"


def test_a_file_where_another_has_a_directory_is_a_conflict(line: Line) -> None:
    line.harvested("A", {"x": "a file\n"})
    line.harvested("B", {"x/y": "in a directory\n"})
    assert rows(line.crew.cto("queue", "conflicts").out)[1][:3] == ["A", "B", "certain"]


def test_the_room_of_a_running_worker_is_looked_at_without_its_git(line: Line) -> None:
    crew = line.crew
    leave_a_worker(crew, text="its own\n")
    try:
        deadline = time.monotonic() + 30
        while not list(crew.home.rglob("room/b.py")):
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        line.harvested("B", {"b.py": "other\n"})
        done = crew.cto("queue", "conflicts")
        assert rows(done.out)[1] == ["A", "B", "certain", "b.py"]
        assert "A is still worked on: judged by its room as it is now" in done.err
        told = json.loads(crew.cto("queue", "conflicts", "--json").out)
        assert {each["task"]: each["seen"] for each in told["changes"]} == {
            "A": "room",
            "B": "harvested",
        }
    finally:
        crew.cto("stop")


def test_where_a_room_cannot_be_seen_the_declared_paths_stand_for_it(line: Line) -> None:
    crew = line.crew
    crew.plan(TaskSpec(id="A", title="a", paths=("src/**",)))
    crew.lease("A", "e-A")
    crew.record(RecordStart(execution="e-A", epoch=1, pid=1, process_start="1", isolation="none"))
    line.harvested("B", {"src/deep/b.py": "x\n"})
    line.harvested("C", {"other.py": "x\n"})
    done = crew.cto("queue", "conflicts")
    assert rows(done.out) == [
        ["TASK", "AND", "CONFLICT", "PATHS"],
        ["A", "B", "possible", "src/deep/b.py"],
    ]
    assert "A is still worked on: judged by its declared paths" in done.err


def test_a_room_prepared_against_us_runs_nothing_and_is_judged_by_what_it_declares(
    line: Line,
) -> None:
    """Its git would run a program; it also hides a repository, which no harvest takes."""
    crew = line.crew
    leave_a_worker(crew, text="its own\n")
    try:
        deadline = time.monotonic() + 30
        while not (found := list(crew.home.rglob("room/b.py"))):
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        room, mark = found[0].parent, crew.home / "mark"
        subprocess.run(["git", "init", "-q", "inner"], cwd=room, env=crew.environ, check=True)
        config = room / ".git" / "config"
        config.write_text(f"{config.read_text()}[core]\n\tfsmonitor = touch {mark}\n")
        told = json.loads(crew.cto("queue", "conflicts", "--json").out)
        assert told["changes"] == [{"task": "A", "seen": "declared"}]
        assert not mark.exists()
    finally:
        crew.cto("stop")
