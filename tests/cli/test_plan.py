from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, PluginMaker, Result, Room

PLANNER = """
from gitcto.api import DraftPlan, PlanProblem, Planner, TaskSpec, hookimpl

@hookimpl
def gitcto_register_planners(register):
    register.add(Planner(name="lines", summary="A task a line.", target="lines:Lines",
                         suffixes=(".list",)))

class Lines:
    def recognises(self, text):
        return text.startswith("lines:")

    def read(self, text):
        tasks, problems = [], []
        for number, line in enumerate(text.splitlines(), 1):
            name, _, rest = line.partition(" ")
            title, _, after = rest.partition(" < ")
            if name == "crash":
                raise RuntimeError("no")
            if name == "bad":
                problems.append(PlanProblem(line=number, message="this line is bad"))
            elif name != "lines:":
                paths = (title,) if title.startswith((".", "/")) else ()
                tasks.append(TaskSpec(id=name, title=title or "t", paths=paths,
                                      depends_on=tuple(after.split())))
        return DraftPlan(tasks=tuple(tasks), problems=tuple(problems))
"""


@pytest.fixture(autouse=True)
def _planner(extra_plugin: PluginMaker) -> None:
    extra_plugin("lines", PLANNER)


def ledger(room: Room) -> str:
    return room.git("for-each-ref", "refs/cto")


def refused(crew: Crew, content: str | bytes, *, expect: int = 1) -> Result:
    """Import a hostile plan and see that nothing was recorded."""
    before = ledger(crew)
    crew.write("plan.list", content)
    done = crew.cto("plan", "import", "plan.list", expect=expect)
    assert ledger(crew) == before
    assert "Traceback" not in done.err
    assert all(line.isprintable() for line in done.err.splitlines())
    assert done.out == ""
    return done


def test_a_plan_is_recorded_in_an_order_that_works(crew: Crew) -> None:
    crew.write("plan.list", "B second < A\nA first\n")
    done = crew.cto("plan", "import", "plan.list")
    assert done.out == "Imported 2 tasks from plan.list\n"
    assert "git cto run" in done.err
    lines = crew.cto("status").out.splitlines()
    assert [line.split()[0] for line in lines[4:]] == ["A", "B"]


def test_the_plan_itself_is_kept_in_the_ledger(crew: Crew) -> None:
    crew.write("plan.list", "A first\n")
    crew.cto("plan", "import", "plan.list")
    assert crew.git("show", "refs/cto/teams/main/ledger:plan") == "A first"


def test_a_dry_run_shows_the_order_and_records_nothing(crew: Crew) -> None:
    before = ledger(crew)
    crew.write("plan.list", "B second < A\nA first\n")
    done = crew.cto("plan", "import", "--dry-run", "plan.list")
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        ["1", "A", "P1", "normal", "developer", "-", "first"],
        ["2", "B", "P1", "normal", "developer", "A", "second"],
    ]
    assert ledger(crew) == before


def test_a_dry_run_needs_no_team(repo: Room) -> None:
    repo.write("plan.list", "A first\n")
    told = json.loads(repo.cto("plan", "import", "--dry-run", "--json", "plan.list").out)
    assert told["imported"] is False
    assert told["tasks"] == [{"id": "A", "title": "first", "depends_on": []}]


def test_a_later_plan_may_depend_on_an_earlier_one(crew: Crew) -> None:
    crew.write("one.list", "A first\n")
    crew.write("two.list", "B second < A\n")
    crew.cto("plan", "import", "one.list")
    crew.cto("plan", "import", "two.list")
    done = crew.cto("plan", "import", "one.list", expect=1)
    assert "one.list:1: A: this id is in the team already" in done.err


def test_all_problems_are_shown_at_once_with_their_lines(crew: Crew) -> None:
    done = refused(crew, "A one < C\nbad\nA two\n")
    assert done.err.splitlines() == [
        "plan.list:1: A: there is no task C to depend on",
        "plan.list:1: A: this id is used twice in this plan",
        "plan.list:2: this line is bad",
        "error: plan.list has 3 problems; nothing was imported",
        "hint: correct the file, then look at it with `git cto plan import --dry-run`",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("A one < B\nB two < A\n", "wait for each other"),
        ("A ../up\n", "does not leave the repository"),
        ("A /etc/passwd\n", "relative to the top"),
        ("A .git/config\n", "nothing in .git"),
        ("--force one\n", "an id has"),
        ("A \x1b[2J\n", "without control characters"),
        ("", "no tasks"),
    ],
)
def test_a_hostile_plan_is_refused_in_words(crew: Crew, content: str, said: str) -> None:
    assert said in refused(crew, content).err


def test_a_strategy_that_does_not_exist_is_refused_with_the_nearest_name(crew: Crew) -> None:
    crew.write("plan.toml", '[[task]]\nid = "A"\ntitle = "a"\nstrategy = "single_woker"\n')
    told = crew.cto("plan", "import", "plan.toml", expect=1).err
    assert (
        "plan.toml:2: A: there is no strategy 'single_woker', did you mean `single_worker`?" in told
    )


def test_thousands_of_problems_are_not_poured_out(crew: Crew) -> None:
    lines = refused(crew, "bad\n" * 5000).err.splitlines()
    assert len(lines) == 23
    assert lines[-3:-1] == [
        "… and 4980 more",
        "error: plan.list has 5000 problems; nothing was imported",
    ]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"\xff\xfe", 1, "plan.list:1: this is not UTF-8 text"),
        (b"A one\nB \0\n", 1, "plan.list:2: this is not UTF-8 text"),
        (b"#" * (10 << 20), 2, "plan.list is larger than 8 MiB"),
        (b"crash", 3, "planner 'lines' of plugin 'lines' (lines 1.0): RuntimeError: no"),
    ],
)
def test_what_cannot_be_read_is_one_line(crew: Crew, content: bytes, code: int, said: str) -> None:
    assert refused(crew, content, expect=code).error == said


def test_a_pipe_a_directory_and_nothing_are_no_plans(crew: Crew) -> None:
    os.mkfifo(crew.path / "pipe.list")
    for name, said in (("pipe.list", "no ordinary file"), (".", ""), ("absent", "No such file")):
        assert said in crew.cto("plan", "import", name, expect=2).error


def test_a_file_called_like_an_option_is_a_file(crew: Crew) -> None:
    crew.write("--dry-run", "lines:\nA one\n")
    assert "Imported 1 task" in crew.cto("plan", "import", "--", "--dry-run").out


def test_the_planner_is_told_by_ending_by_text_or_by_name(crew: Crew) -> None:
    crew.write("plan.txt", "lines:\nA one\n")
    crew.write("odd.txt", "A one\n")
    crew.cto("plan", "import", "--dry-run", "plan.txt")
    assert "no planner knows" in crew.cto("plan", "import", "odd.txt", expect=2).error
    crew.cto("plan", "import", "--dry-run", "--format", "lines", "odd.txt")
    assert "no planner 'x'" in crew.cto("plan", "import", "--format=x", "odd.txt", expect=2).error


def test_our_own_planners_read_toml_and_markdown(crew: Crew) -> None:
    task = '[[task]]\nid = "{}"\ntitle = "t"\ndepends_on = ["{}"]\n'
    crew.write("plan.toml", task.format("A", "B") + task.format("B", "A"))
    assert "plan.toml:2: A: these wait for each other: A" in (
        crew.cto("plan", "import", "plan.toml", expect=1).err
    )
    crew.write("tasks.md", "# Plan\n\n- [ ] T1 Write it\n- [ ] T2 Test it\n")
    assert "Imported 2 tasks" in crew.cto("plan", "import", "tasks.md").out
