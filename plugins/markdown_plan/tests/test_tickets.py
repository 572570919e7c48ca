from __future__ import annotations

import pytest
from gitcto_markdown_plan.reader import MarkdownPlan

from gitcto.model.plan import validate

BACKLOG = r"""# Board

| Epic ID | Epic | Owner |
|---|---|---|
| E-1 | not a ticket | x |

## P0 Tickets (Blocking)

| Ticket ID | Title | Owner | Priority | Depends On | Key Files | Status |
|:---|---|:---:|---:|---|---|---|
| `CTO-009` | Approval \| dedupe | W-1 + Lead | P0 | none | `a/b.ts` | **done** |
| `CTO-010` | **Executor** | `W-2` | High | `CTO-009`, CTO-011 | `a/b.ts`, `c.ts` | todo |
| [CTO-011](https://x.invalid) | Other | | weird | — | | In progress |
| ... | ... | ... | ... | ... | ... | ... |
| | | | | | | |

## P2 Tickets

| Ticket ID | Title |
|---|---|
| CTO-P1-12 | Short row
| CTO-13 | Low |

| Test ID | Type | Covers |
|---|---|---|
| T-1 | Unit | CTO-010 |

```
| Ticket ID | Title |
|---|---|
| CODE-1 | not a ticket |
```

## Detailed specs

### CTO-010 Executor validation
- owner: W-2
- acceptance criteria:
  - [ ] a checkbox here is text

#### Notes
deep

### CTO-011 to CTO-13: shared
both of them

### CTO-13
- **Depends on**: CTO-011

## Ends here
nothing of it
"""


def read(text: str = BACKLOG):
    plan = MarkdownPlan().read(text)
    assert plan.problems == ()
    assert validate(plan.tasks, ()) == []
    return {task.id: task for task in plan.tasks}


def test_open_rows_of_every_ticket_table_become_tasks():
    tasks = read()

    assert list(tasks) == ["CTO-010", "CTO-011", "CTO-P1-12", "CTO-13"]
    assert tasks["CTO-010"].title == "Executor"
    assert tasks["CTO-010"].owner == "W-2"
    assert tasks["CTO-010"].depends_on == ("CTO-011",)


def test_priority_and_tier_come_from_columns_then_the_id_then_the_heading():
    ranks = {name: (task.tier, task.priority) for name, task in read().items()}

    assert ranks == {
        "CTO-010": ("P0", "high"),
        "CTO-011": ("P0", "normal"),
        "CTO-P1-12": ("P1", "normal"),
        "CTO-13": ("P2", "normal"),
    }


def test_the_section_and_the_columns_that_are_no_fields_become_the_prompt():
    tasks = read()

    assert tasks["CTO-010"].prompt == (
        "Executor\n\n"
        "- owner: W-2\n- acceptance criteria:\n  - [ ] a checkbox here is text\n\n"
        "#### Notes\ndeep\n\n"
        "- Key Files: `a/b.ts`, `c.ts`"
    )
    assert tasks["CTO-011"].prompt == "Other\n\nboth of them\n\n- Priority: weird"
    assert tasks["CTO-P1-12"].prompt == "Short row\n\nboth of them"


def test_a_section_may_say_what_the_table_has_no_column_for():
    assert read()["CTO-13"].depends_on == ("CTO-011",)


def test_columns_are_known_in_any_case_and_order():
    text = """\
| STATUS | **Summary** | Role | Tier | Paths | Assignee | `ID` | Blocked by |
|-|-|-|-|-|-|-|-|
| open | Do | QA Lead | P0 | `src/**`, docs | me | A-1 | |
| Closed (v2) | Done | | | | | A-2 | |
| open | Go | - | gold | | | A-3 | A-2; A-1 |
"""
    tasks = read(text)

    assert list(tasks) == ["A-1", "A-3"]
    assert (tasks["A-1"].role, tasks["A-1"].tier, tasks["A-1"].owner) == ("qa-lead", "P0", "me")
    assert tasks["A-1"].paths == ("src/**", "docs")
    assert tasks["A-3"].depends_on == ("A-1",)
    assert tasks["A-3"].prompt == "Go\n\n- Role: -\n- Tier: gold"


@pytest.mark.parametrize(
    "header",
    [
        "| ID | Description |",
        "| Test ID | Title | Owner |",
        "| Task | Owner |",
        "| Title | Owner |",
    ],
)
def test_other_tables_are_text(header):
    rule = "|".join(["-"] * (header.count("|") - 1))
    plan = MarkdownPlan().read(f"{header}\n|{rule}|\n| A-1 | x | y |\n\n- [ ] T001 a task\n")
    assert [task.id for task in plan.tasks] == ["T001"]


def test_a_row_whose_id_cannot_name_a_task_is_a_problem():
    plan = MarkdownPlan().read(
        "| Ticket ID | Title |\n|-|-|\n| --force | a |\n| a/../b | b |\n| | c |\n| OK-1 | d |\n"
    )
    assert [(p.line, p.message) for p in plan.problems] == [
        (3, "'--force' cannot name a task"),
        (4, "'a/../b' cannot name a task"),
        (5, "'' cannot name a task"),
    ]
    assert [task.id for task in plan.tasks] == ["OK-1"]


def test_the_same_ticket_twice_is_left_to_the_core_to_refuse():
    plan = MarkdownPlan().read("| Ticket ID | Title |\n|-|-|\n| A-1 | a |\n| A-1 | b |\n")
    assert [error.code for error in validate(plan.tasks, ())] == ["duplicate"]


def test_everything_done_is_nothing_to_do():
    plan = MarkdownPlan().read("| Ticket | Title | Status |\n|-|-|-|\n| A-1 | a | done |\n")
    assert plan.tasks == ()
    assert [p.message for p in plan.problems] == [
        "there is no open checkbox and no open ticket in this file"
    ]
