"""Plans as Markdown: tables of tickets where there are any, else lists of checkboxes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.api import DraftPlan, PlanProblem
from gitcto_markdown_plan.checklist import read_checklist
from gitcto_markdown_plan.source import CHECKBOX, lines_of
from gitcto_markdown_plan.tickets import find_tables, read_tickets

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 10 * 1024 * 1024
MAX_LINES = 200_000

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NAMED = 20


class MarkdownPlan:
    """Reads what people and spec tools write; items that are checked or done are left out."""

    def recognises(self, text: str) -> bool:
        """Tell whether this text has a table of tickets or a checkbox in it."""
        if any(_limits(text)):
            return False
        lines = lines_of(text)
        return bool(find_tables(lines)) or any(
            not line.code and CHECKBOX.match(line.text) for line in lines
        )

    def read(self, text: str) -> DraftPlan:
        """Return the tasks, and every problem at once; never raise for bad input."""
        problems = tuple(_limits(text))
        if problems:
            return DraftPlan(tasks=(), problems=problems)
        lines = lines_of(text)
        tables = find_tables(lines)
        plan = read_tickets(lines, tables) if tables else read_checklist(lines)
        if not plan.tasks and not plan.problems:
            return _refused(0, "there is no open checkbox and no open ticket in this file")
        return plan


def _refused(line: int, message: str) -> DraftPlan:
    return DraftPlan(tasks=(), problems=(PlanProblem(line=line, message=message),))


def _limits(text: str) -> Iterator[PlanProblem]:
    if len(text) > MAX_CHARACTERS:
        yield PlanProblem(line=0, message=f"the plan has more than {MAX_CHARACTERS} characters")
    elif text.count("\n") > MAX_LINES:
        yield PlanProblem(line=0, message=f"the plan has more than {MAX_LINES} lines")
    else:
        line, seen = 1, 0
        for count, match in enumerate(_CONTROL.finditer(text)):
            if count == _NAMED:
                return
            line += text.count("\n", seen, match.start())
            seen = match.start()
            message = f"control character U+{ord(match[0]):04X}: this is not plain text"
            yield PlanProblem(line=line, message=message)
