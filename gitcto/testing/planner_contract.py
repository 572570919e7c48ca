"""The contract of a plan format, as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.contracts import DraftPlan
from gitcto.model.records import TaskSpec
from gitcto.testing.kit import Contract, must, must_be_a_line

if TYPE_CHECKING:
    from gitcto.contracts import PlanReader

HOSTILE = (
    "",
    "\0",
    "\ufeff",
    "[" * 5000,
    "{" * 5000,
    "\x1b]0;owned\x07",
    "| a |\n" * 2000,
    "- [ ] --upload-pack=/bin/sh ../../etc\n",
    "x" * 100_000,
    "\ud800",
    "\r\r\n\x85\u2028",
)
"""Texts that are no good plan in any format; a reader survives each of them."""


class PlannerContract(Contract):
    """Subclass it and override :meth:`planner`, :meth:`good` and :meth:`bad`."""

    @pytest.fixture
    def planner(self) -> PlanReader:
        """Return the reader under test."""
        raise NotImplementedError("override the fixture `planner`")

    @pytest.fixture
    def good(self) -> str:
        """Return a plan of at least two tasks, without problems."""
        raise NotImplementedError("override the fixture `good`")

    @pytest.fixture
    def bad(self) -> str:
        """Return a plan in this format that has at least one problem."""
        raise NotImplementedError("override the fixture `bad`")

    def test_it_reads_a_good_plan(self, planner: PlanReader, good: str) -> None:
        """It knows its own format, and every task has an id and a title."""
        must(planner.recognises(good) is True, "recognises() must know its own format")
        plan = planner.read(good)
        must(type(plan) is DraftPlan, "read() must return a DraftPlan")
        must(not plan.problems, f"a good plan has problems: {plan.problems}")
        must(len(plan.tasks) > 1, "every task of the plan must be read")
        must(all(isinstance(task, TaskSpec) for task in plan.tasks), "tasks must be TaskSpecs")
        must(all(task.id and task.title for task in plan.tasks), "a task needs id and title")

    def test_it_reads_the_same_twice(self, planner: PlanReader, good: str) -> None:
        """Reading depends on the text alone."""
        must(planner.read(good) == planner.read(good), "the same text gave two different plans")

    def test_it_names_problems_by_line(self, planner: PlanReader, bad: str) -> None:
        """A problem says where it is and what it is."""
        problems = planner.read(bad).problems
        must(problems, "a bad plan must have problems")
        count = bad.count("\n") + 1
        for problem in problems:
            must(0 <= problem.line <= count, f"there is no line {problem.line}")
            must(problem.message, "a problem needs a message")
            must_be_a_line(problem.message, "message")

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_it_survives_any_text(self, planner: PlanReader, text: str) -> None:
        """Bad input is answered with problems, never with an exception."""
        must(type(planner.recognises(text)) is bool, "recognises() must return a bool")
        plan = planner.read(text)
        must(type(plan) is DraftPlan, "read() must return a DraftPlan")
        for problem in plan.problems:
            must_be_a_line(problem.message, "message")
