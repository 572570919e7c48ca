from __future__ import annotations

import time

import pytest
from gitcto_markdown_plan.reader import MAX_CHARACTERS, MAX_LINES, MarkdownPlan
from hypothesis import given
from hypothesis import strategies as st

from gitcto.model.plan import validate


def messages(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in MarkdownPlan().read(text).problems]


def test_it_recognises_checkboxes_and_tickets_and_nothing_else():
    recognises = MarkdownPlan().recognises

    assert recognises("# x\n\n* [ ] a\n")
    assert recognises("| Ticket ID | Title |\n|---|---|\n| A | b |\n")
    assert not recognises("# prose\n\n- item\n- [link](x)\n")
    assert not recognises("```\n- [ ] a\n```\n")
    assert not recognises("<!--\n- [ ] a\n-->\n")
    assert not recognises("- [ ] a\0\n")
    assert not recognises("")


def test_control_characters_are_named_with_their_lines():
    assert messages("- [ ] a\n\x1b[31m\n- [ ] b\0\n") == [
        (2, "control character U+001B: this is not plain text"),
        (3, "control character U+0000: this is not plain text"),
    ]
    assert len(messages("\0" * 10_000)) == 20


def test_what_is_too_big_is_not_read():
    assert messages("x" * (MAX_CHARACTERS + 1)) == [
        (0, f"the plan has more than {MAX_CHARACTERS} characters")
    ]
    assert messages("\n" * (MAX_LINES + 1)) == [(0, f"the plan has more than {MAX_LINES} lines")]


def test_more_tasks_than_a_plan_holds():
    [(line, message)] = messages("".join(f"- [ ] T{n:05} x\n" for n in range(10_001)))
    assert (line, message) == (0, "10001 open items; a plan holds 10000 at most")
    rows = "".join(f"| A-{n} | x |\n" for n in range(10_001))
    [(line, message)] = messages(f"| Ticket ID | Title |\n|-|-|\n{rows}")
    assert (line, message) == (0, "10001 tickets; a plan holds 10000 at most")


def test_no_tasks_is_a_problem():
    assert messages("# nothing\n") == [
        (0, "there is no open checkbox and no open ticket in this file")
    ]


TICKETS = "| ticket | title |\n|-|-|\n"
HOSTILE = {
    "labels": "- [ ] T001 " + "[a]" * 500_000,
    "a text of many lines": "- [ ] x\n" + ("y" * 8 + "\n") * 190_000,
    "pipes": "|`" * 500_000,
    "marks around a cell": f"{TICKETS}|{'`' * 1_000_000}|a|\n",
    "hashes": "#" * 1_000_000,
    "dashes in a name": "- [ ] " + "A-" * 500_000,
    "comments": "<!--" * 250_000,
    "parentheses": "- [ ] a (depends on " * 50_000,
    "blanks": "- [ ]" + " " * 1_000_000,
    "deep nesting": "".join(f"{' ' * n}- [ ] T{n:04} x\n" for n in range(1_500)),
    "quoted sections": TICKETS
    + "".join(f"|A-{n}|x|\n" for n in range(9_999))
    + "# A-0 to A-9998\nx\n" * 500,
    "dependencies on a group": "- [ ] 1. all\n"
    + "".join(f"  - [ ] 1.{n} x\n" for n in range(2_000))
    + "".join(f"- [ ] T{n:04} y (depends on 1)\n" for n in range(2_000)),
    "two broad phases": "".join(f"- [ ] T{n:05} [P] x\n" for n in range(3_000))
    + "# Phase 2\n"
    + "".join(f"- [ ] T{n:05} [P] x\n" for n in range(3_000, 6_000)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_costs_no_more_than_its_size(text):
    start = time.process_time()
    MarkdownPlan().recognises(text)
    plan = MarkdownPlan().read(text)
    validate(plan.tasks, ())
    assert time.process_time() - start < 5


LINES = ["- [ ] T001 [P] a", "- [x] T002 b", "  - [ ] 1.1 c", "- [ ] 1. d", "1. [ ] e", "  text"]
TABLE = [
    "| Ticket ID | Title | Depends on |",
    "|-|-|-|",
    "| A-1 | x | A-2 |",
    "| A-2 | `y` | |",
    "|",
]
OTHER = [
    "# Phase 1",
    "## A-1",
    "### A-1 to A-2",
    "```",
    "<!--",
    "-->",
    "",
    "\t",
    "(depends on T001)",
]
pieces = st.sampled_from([*LINES, *TABLE, *OTHER, "- [ ] f (depends on 1, T001)"]) | st.text(
    max_size=5
)


@given(st.text() | st.lists(pieces, max_size=30).map("\n".join))
def test_any_text_gives_problems_or_a_plan_that_the_core_can_judge(text):
    MarkdownPlan().recognises(text)
    plan = MarkdownPlan().read(text)
    assert plan.problems or plan.tasks
    assert all(problem.message.isprintable() for problem in plan.problems)
    codes = {error.code for error in validate(plan.tasks, ())}
    assert codes <= {"duplicate", "cycle", "self_dependency", "unknown_dependency", "title"} | {
        "prompt",
        "empty",
    }


def test_a_section_quoted_in_too_many_prompts_is_refused():
    [(line, message)] = messages(HOSTILE["quoted sections"])
    assert (line, message) == (0, "the sections are quoted in more prompts than any plan needs")
