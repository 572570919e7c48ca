from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcto.model.plan import (
    MAX_LIST,
    MAX_PROMPT,
    MAX_TASKS,
    in_dependency_order,
    path_complaint,
    validate,
)
from gitcto.model.records import TaskSpec


def task(name="A", **fields) -> TaskSpec:
    return TaskSpec(**{"id": name, "title": "t", **fields})


def codes(*tasks: TaskSpec, existing=()) -> list[tuple[str, str]]:
    return [(error.task, error.code) for error in validate(tasks, set(existing))]


def test_a_good_plan_has_no_problems():
    plan = [
        task("A", prompt="do\n\tthis", paths=("src/**", "a b"), inputs={"x": "1\n"}, owner="Ö"),
        task("B", depends_on=("A", "OLD"), role="qa", tier="P0", priority="urgent"),
    ]
    assert validate(plan, {"OLD"}) == []


def test_an_empty_plan_is_a_problem():
    assert codes() == [("", "empty")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, "id"),
        ({"name": "-rf"}, "id"),
        ({"name": "a..b"}, "id"),
        ({"name": "a/b"}, "id"),
        ({"name": "a\n"}, "id"),
        ({"name": "x" * 65}, "id"),
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "\x1b[31m"}, "title"),
        ({"title": "\u202eevil"}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"prompt": "x" * (MAX_PROMPT + 1)}, "prompt"),
        ({"prompt": "é" * (MAX_PROMPT // 2 + 1)}, "prompt"),
        ({"prompt": "a\0b"}, "prompt"),
        ({"prompt": "a\rb"}, "prompt"),
        ({"role": "Team Lead"}, "role"),
        ({"role": "--help"}, "role"),
        ({"owner": "a\nb"}, "owner"),
        ({"paths": ("",)}, "path"),
        ({"inputs": {"a b": "x"}}, "input"),
        ({"inputs": {"a": "\0"}}, "input"),
        ({"depends_on": ("A",)}, "self_dependency"),
        ({"depends_on": ("NONE",)}, "unknown_dependency"),
        ({"depends_on": tuple(map(str, range(MAX_LIST + 1)))}, "depends_on"),
        ({"paths": ("a",) * (MAX_LIST + 1)}, "paths"),
        ({"title": 3}, "type"),
        ({"tier": "P9"}, "type"),
        ({"priority": "soon"}, "type"),
        ({"depends_on": "A"}, "type"),
        ({"inputs": {"a": object()}}, "type"),
    ],
)
def test_each_bound_is_kept(fields, code):
    assert [found for _, found in codes(task(**fields))] == [code]


def test_the_largest_allowed_values_are_allowed():
    plan = [task("x" * 64, title="t" * 200, prompt="é" * (MAX_PROMPT // 2))]
    assert validate(plan, ()) == []


LEAVING = ["", "/etc", "../x", "a/../b", "..", "-rf", ":(top)x", "~/x", "\\x", "C:/x", "a\\..\\b"]
UNFIT = [".git/config", "a/.GIT/x", "a\0b", "a\nb", "x" * 5000]


@pytest.mark.parametrize("path", [*LEAVING, *UNFIT])
def test_a_path_stays_in_the_repository(path):
    assert path_complaint(path)
    assert codes(task(paths=(path,))) == [("A", "path")]


@pytest.mark.parametrize("path", ["a", "src/**", ".github/x", "a..b", "größe/ü", "a-b/*.py", "x:y"])
def test_ordinary_paths_and_globs_are_fine(path):
    assert path_complaint(path) == ""


def test_all_problems_come_at_once():
    assert codes(
        task("A", title="", depends_on=("B", "NONE")),
        task("B", depends_on=("A", "A")),
        task("B"),
        task("OLD"),
        existing=["OLD"],
    ) == [
        ("A", "title"),
        ("B", "duplicate"),
        ("OLD", "duplicate"),
        ("A", "unknown_dependency"),
        ("B", "duplicate_dependency"),
    ]


def test_too_many_tasks():
    plan = [task(f"T{n}") for n in range(MAX_TASKS + 1)]
    assert codes(*plan) == [("", "too_many")]
    assert codes(*plan[:-1]) == []


def test_a_cycle_is_named_from_its_members_alone():
    plan = [
        task("downstream", depends_on=("A",)),
        task("A", depends_on=("free", "C")),
        task("B", depends_on=("A",)),
        task("C", depends_on=("B",)),
        task("free"),
        task("X", depends_on=("Y",)),
        task("Y", depends_on=("X",)),
    ]
    assert [error.message for error in validate(plan, ())] == [
        "these wait for each other: A -> C -> B -> A",
        "these wait for each other: X -> Y -> X",
    ]


def test_a_long_cycle_is_shown_short():
    plan = [task(f"T{n}", depends_on=(f"T{(n + 1) % 500}",)) for n in range(500)]
    [error] = validate(plan, ())
    assert error.message.count("->") == 20
    assert "(481 more)" in error.message


def test_messages_carry_nothing_a_terminal_obeys():
    hostile = "\x1b]0;x\x07" + "é" * 300
    plan = [
        task(hostile, depends_on=(hostile + "2",), paths=("/" + hostile,), inputs={hostile: ""})
    ]
    for error in validate(plan, ()):
        assert error.message.isprintable()
        assert error.task.isprintable()
        assert len(error.message) < 400


graphs = st.lists(st.lists(st.integers(0, 14), max_size=3), max_size=15)


@given(graphs)
def test_a_plan_without_problems_can_be_ordered_and_one_with_a_cycle_is_refused(graph):
    plan = [
        task(f"T{n}", depends_on=tuple(dict.fromkeys(f"T{m}" for m in needs if m < len(graph))))
        for n, needs in enumerate(graph)
    ]
    if not plan:
        return
    errors = {error.code for error in validate(plan, ())}
    ordered = in_dependency_order(plan)
    assert sorted(t.id for t in ordered) == sorted(t.id for t in plan)
    seen: set[str] = set()
    orderly = True
    for each in ordered:
        orderly &= seen.issuperset(each.depends_on)
        seen.add(each.id)
    assert orderly == (not errors)
    assert errors <= {"cycle", "self_dependency"}


def test_an_order_that_is_good_already_is_kept():
    plan = [task("C"), task("A", depends_on=("C",)), task("B"), task("Z", depends_on=("B", "OLD"))]
    assert [each.id for each in in_dependency_order(plan)] == ["C", "A", "B", "Z"]


@given(
    st.lists(
        st.builds(
            TaskSpec,
            id=st.text(max_size=4),
            title=st.text(max_size=9),
            depends_on=st.lists(st.text(max_size=2), max_size=3).map(tuple),
            paths=st.lists(st.text(max_size=5), max_size=2).map(tuple),
        )
    )
)
def test_any_plan_gets_an_answer(plan):
    assert isinstance(validate(plan, {"a"}), list)


def test_a_chain_of_ten_thousand_is_no_deep_recursion():
    plan = [task(f"T{n}", depends_on=(f"T{n + 1}",)) for n in range(MAX_TASKS - 1)]
    plan.append(task(f"T{MAX_TASKS - 1}"))
    assert validate(plan, ()) == []
    assert in_dependency_order(plan)[0].id == f"T{MAX_TASKS - 1}"


def test_time_grows_with_the_plan_and_not_with_its_square():
    def seconds(size: int) -> float:
        dice = random.Random(size)
        plan = [
            task(
                f"T{n}", depends_on=tuple({f"T{dice.randrange(n)}" for _ in range(3)} if n else ())
            )
            for n in range(size)
        ]
        dice.shuffle(plan)
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            assert validate(plan, ()) == []
            in_dependency_order(plan)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(10_000) < 40 * seconds(1_000)
