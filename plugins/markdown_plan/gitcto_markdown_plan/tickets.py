"""Ticket tables: a row is a task, and the section whose heading names the ticket is its prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gitcto.api import DraftPlan, PlanProblem, TaskSpec, is_name, is_task_id
from gitcto_markdown_plan.sections import sections_of
from gitcto_markdown_plan.source import MAX_TASKS, cleaned, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitcto.api import Priority, Tier
    from gitcto_markdown_plan.source import Line

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("ticket id", "task id", "ticket", "id", "issue", "key", "task"),
    "title": ("title", "ticket title", "summary", "name", "task", "description"),
    "owner": ("owner", "assignee", "assigned to"),
    "depends_on": (
        "depends on",
        "dependencies",
        "depends",
        "dependency",
        "deps",
        "blocked by",
        "prerequisites",
    ),
    "priority": ("priority",),
    "tier": ("tier", "risk tier"),
    "role": ("role",),
    "paths": ("paths", "allowed paths"),
    "status": ("status", "state"),
}
_SURE = ("ticket id", "task id", "ticket")
_SUPPORT = ("owner", "depends_on", "priority", "tier", "role", "status")
_DONE = frozenset(
    {"done", "closed", "complete", "completed", "merged", "resolved", "shipped", "landed"}
    | {"cancelled", "canceled", "dropped", "wontfix"}
)
_PRIORITIES: Mapping[str, Priority] = {
    "critical": "urgent",
    "urgent": "urgent",
    "highest": "urgent",
    "high": "high",
    "medium": "normal",
    "normal": "normal",
    "low": "low",
    "lowest": "low",
    "p0": "high",
    "p1": "normal",
    "p2": "low",
}
_TIERS: Mapping[str, Tier] = {"p0": "P0", "p1": "P1", "p2": "P2"}
_TIER_IN_TEXT = re.compile(r"(?<![A-Za-z0-9])(P[012])(?![A-Za-z0-9])")
_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_CELL_BOUNDARY = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r":?-+:?\Z")
_SHOWN = 60


class Table(NamedTuple):
    """A table of tickets: its columns' headers, which column is which field, and its rows."""

    headers: tuple[str, ...]
    fields: Mapping[str, int]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    heading: str


def find_tables(lines: Sequence[Line]) -> list[Table]:
    """Return the tables that list tickets; other tables are text."""
    tables: list[Table] = []
    heading = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        heading = line.heading[1] if line.heading else heading
        position += 1
        if line.code or "|" not in line.text or position == len(lines):
            continue
        if not _is_rule(lines[position]):
            continue
        headers = _cells(line.text)
        end = position + 1
        while end < len(lines) and "|" in lines[end].text and not lines[end].code:
            end += 1
        fields = _fields([cleaned(header).lower() for header in headers])
        if fields:
            rows = tuple((row.number, _cells(row.text)) for row in lines[position + 1 : end])
            tables.append(Table(headers, fields, rows, heading))
        position = end
    return tables


def read_tickets(lines: Sequence[Line], tables: Sequence[Table]) -> DraftPlan:
    """Return the open tickets of a file as tasks."""
    problems: list[PlanProblem] = []
    tickets: list[_Ticket] = []
    for table in tables:
        for number, cells in table.rows:
            ticket = _Ticket(table, cells)
            if not any(cleaned(cell).strip(".…- ") for cell in cells):
                continue
            if is_task_id(ticket.get("id")):
                tickets.append(ticket)
            else:
                shown = ascii(ticket.get("id")[:_SHOWN])
                problems.append(PlanProblem(line=number, message=f"{shown} cannot name a task"))
    if len(tickets) > MAX_TASKS:
        return _refused(f"{len(tickets)} tickets; a plan holds {MAX_TASKS} at most")
    sections = sections_of(lines, [ticket.get("id") for ticket in tickets])
    if sections is None:
        return _refused("the sections are quoted in more prompts than any plan needs")
    closed = {ticket.get("id") for ticket in tickets if ticket.done}
    known = {ticket.get("id") for ticket in tickets}
    tasks = tuple(
        _task(ticket, sections.get(ticket.get("id"), ""), known, closed)
        for ticket in tickets
        if not ticket.done
    )
    return DraftPlan(tasks=tasks, problems=tuple(problems))


def _refused(message: str) -> DraftPlan:
    return DraftPlan(tasks=(), problems=(PlanProblem(line=0, message=message),))


class _Ticket(NamedTuple):
    """One row of a table."""

    table: Table
    cells: tuple[str, ...]

    def get(self, field: str) -> str:
        """Return a field's cell without marks around it; empty when there is none."""
        column = self.table.fields.get(field, len(self.cells))
        return cleaned(self.cells[column]) if column < len(self.cells) else ""

    @property
    def done(self) -> bool:
        """Whether the status says that nothing is left to do."""
        status = self.get("status").lower()
        first = re.match(r"[^a-z]*([a-z]+)", status)
        return (first is not None and first[1] in _DONE) or status in ("✅", "[x]")

    def others(self, used: Sequence[str]) -> Iterator[str]:
        """Yield the columns that became no field, as lines for the prompt."""
        taken = {self.table.fields[field] for field in used}
        for column, header in enumerate(self.table.headers):
            cell = self.cells[column].strip() if column < len(self.cells) else ""
            if cell and column not in taken:
                yield f"- {cleaned(header)}: {cell}"


def _task(ticket: _Ticket, section: str, known: set[str], closed: set[str]) -> TaskSpec:
    fields: dict[str, Any] = {**_ranked(ticket), "owner": ticket.get("owner")}
    fields["paths"] = tuple(filter(None, map(cleaned, ticket.get("paths").split(","))))
    role = ticket.get("role").lower().replace(" ", "-")
    if is_name(role):
        fields["role"] = role
    said = ticket.get("depends_on") or _depends_in(section)
    needs = (name for name in _references(said, known) if name not in closed)
    title = ticket.get("title") or ticket.get("id")
    others = "\n".join(ticket.others(_understood(ticket)))
    return TaskSpec(
        id=ticket.get("id"),
        title=title_of(title),
        prompt="\n\n".join(part for part in (title, section, others) if part),
        depends_on=tuple(dict.fromkeys(needs)),
        **{key: value for key, value in fields.items() if value},
    )


def _understood(ticket: _Ticket) -> list[str]:
    """Return the fields whose cells need not be repeated in the prompt."""
    doubtful = {
        "role": is_name(ticket.get("role").lower().replace(" ", "-")),
        "tier": ticket.get("tier").lower() in _TIERS,
        "priority": ticket.get("priority").lower() in _PRIORITIES,
    }
    return [field for field in ticket.table.fields if doubtful.get(field, True)]


def _ranked(ticket: _Ticket) -> dict[str, Any]:
    """Return tier and priority, as far as columns, the ticket's own id or the heading tell."""
    ranked: dict[str, Any] = {}
    priority, tier = ticket.get("priority").lower(), ticket.get("tier").lower()
    if priority in _PRIORITIES:
        ranked["priority"] = _PRIORITIES[priority]
    found = _TIER_IN_TEXT.search(ticket.get("id")) or _TIER_IN_TEXT.search(ticket.table.heading)
    word = next((each for each in (tier, priority) if each in _TIERS), found[1] if found else "")
    return {**ranked, "tier": _TIERS[word.lower()]} if word else ranked


def _depends_in(section: str) -> str:
    for line in section.split("\n"):
        words = line.strip().lstrip("-*+ ").replace("*", "").replace("_", " ")
        name, colon, rest = words.partition(":")
        if colon and name.strip().lower() in _COLUMNS["depends_on"]:
            return rest
    return ""


def _references(text: str, known: set[str]) -> Iterator[str]:
    for name in _REFERENCE.findall(text):
        if name in known or any(map(str.isdigit, name)):
            yield name


def _fields(headers: Sequence[str]) -> dict[str, int]:
    """Return which column is which field; nothing when this is no table of tickets."""
    fields: dict[str, int] = {}
    for field, names in _COLUMNS.items():
        found = next(
            (n for n in names if n in headers and headers.index(n) not in fields.values()), ""
        )
        if found:
            fields[field] = headers.index(found)
    if "id" not in fields or "title" not in fields:
        return {}
    sure = headers[fields["id"]] in _SURE
    return fields if sure or any(field in fields for field in _SUPPORT) else {}


def _is_rule(line: Line) -> bool:
    cells = _cells(line.text)
    return bool(cells) and "|" in line.text and not line.code and all(map(_RULE.match, cells))


def _cells(text: str) -> tuple[str, ...]:
    parts = [part.replace("\\|", "|").strip() for part in _CELL_BOUNDARY.split(text.strip())]
    start = 1 if parts and not parts[0] else 0
    end = len(parts) - (1 if len(parts) > 1 and not parts[-1] else 0)
    return tuple(parts[start:end])
