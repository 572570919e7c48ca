from __future__ import annotations

from gitcto_toml_plan.reader import FIELDS, MAX_CHARACTERS, TomlPlan
from hypothesis import given
from hypothesis import strategies as st

from gitcto.api import TaskSpec
from gitcto.model.plan import validate

FULL = '''\
[[task]]
id = "T1"
title = "One"
prompt = """
[[task]]
no = "header"
"""

[[task]]
id = "T2"
title = "Two"
prompt = "do"
depends_on = ["T1"]
role = "qa"
tier = "P0"
priority = "high"
paths = ["src/**"]
owner = "me"
inputs = { file = "a.py" }
'''


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in TomlPlan().read(text).problems]


def test_every_field_is_read():
    plan = TomlPlan().read(FULL)

    assert plan.problems == ()
    assert plan.tasks == (
        TaskSpec(id="T1", title="One", prompt='[[task]]\nno = "header"\n'),
        TaskSpec(
            id="T2",
            title="Two",
            prompt="do",
            depends_on=("T1",),
            role="qa",
            tier="P0",
            priority="high",
            paths=("src/**",),
            owner="me",
            inputs={"file": "a.py"},
        ),
    )
    assert validate(plan.tasks, ()) == []


def test_the_fields_are_exactly_those_of_a_task():
    assert set(FIELDS) == set(TaskSpec.__struct_fields__)


def test_every_problem_is_named_with_its_line():
    text = """\
tasks = 1
[[task]]
id = "A"
titel = "x"
tier = "P3"
[[task]]
title = "no id"
depends_on = "A"
[[task]]
id = 3
title = "t"
paths = [1]
inputs = { a = 1 }
priority = "soon"
"""
    assert problems(text) == [
        (1, 'unknown key "tasks", did you mean "task"?'),
        (2, 'this task has no "title"'),
        (4, 'unknown key "titel", did you mean "title"?'),
        (5, '"tier" must be one of P0, P1, P2'),
        (6, 'this task has no "id"'),
        (8, '"depends_on" must be a list of strings'),
        (10, '"id" must be a string'),
        (12, '"paths" must be a list of strings'),
        (13, '"inputs" must be a table of strings'),
        (14, '"priority" must be one of urgent, high, normal, low'),
    ]


def test_a_task_with_a_problem_still_counts_for_those_that_depend_on_it():
    plan = TomlPlan().read('[[task]]\nid = "A"\ntier = 3\n')
    assert [task.id for task in plan.tasks] == ["A"]


def test_what_is_no_plan_is_said_in_one_line():
    assert problems("") == [(1, "there is no [[task]] table")]
    assert problems("[task]\n") == [(1, "write each task as a table [[task]]")]
    assert problems("task = 3\n") == [(1, "write each task as a table [[task]]")]
    assert problems("task = [1]\n") == [(1, "write each task as a table [[task]]")]
    [(line, message)] = problems('[[task]]\nid = "A\n')
    assert (line, message.split(":", 1)[0]) == (2, "not valid TOML")
    [(line, message)] = problems('[[task]]\nid = "A\0"\n')
    assert (line, message.split(":", 1)[0]) == (2, "not valid TOML")
    assert problems("x = " + "[" * 100_000) == [(0, "the plan is nested too deeply")]
    [(line, message)] = problems("x = 1\ny = " + "9" * 5000)
    assert (line, message.split(":", 1)[0]) == (2, "not valid TOML")
    assert problems("#" * (MAX_CHARACTERS + 1)) == [
        (0, f"the plan has more than {MAX_CHARACTERS} characters")
    ]


def test_a_strange_key_is_shown_escaped_and_short():
    found = problems(f'[[task]]\n"\\u001b{"x" * 500}" = 1\n')
    [message] = [message for _, message in found if message.startswith("unknown")]
    assert message.startswith('unknown key "\\x1bxx')
    assert len(message) < 300


def test_it_recognises_plans_and_nothing_else():
    recognises = TomlPlan().recognises

    assert recognises(FULL)
    assert not recognises("version = 1\n[[other]]\n")
    assert not recognises("- [ ] T001 x [[task]]\n")
    assert not recognises("[[task]]\n[[task]\n")
    assert not recognises("#" * (MAX_CHARACTERS + 1))


KEYS = ['id = "A"\n', 'title = "t"\n', "id = 1\n", "depends_on = ['A']\n", "tier = []\n"]
TABLES = ["[[task]]\n", "[task.x]\n", "task = 1\n", "inputs.a = 'x'\n"]
pieces = st.sampled_from([*KEYS, *TABLES, '"', "'''", "\0", "[", "é", "\n"])


@given(st.text() | st.lists(pieces).map("".join))
def test_any_text_gives_problems_or_a_plan_that_the_core_can_judge(text):
    TomlPlan().recognises(text)
    plan = TomlPlan().read(text)
    assert plan.problems or plan.tasks
    assert all(problem.message.isprintable() for problem in plan.problems)
    assert not [error for error in validate(plan.tasks, ()) if error.code == "type"]
