"""The text of a pull request: what was asked for, what changed, what proves it, who made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitcto.git.objects import Commit, Objects
from gitcto.git.process import trusted
from gitcto.git.repository import Repository
from gitcto.git.trees import stat
from gitcto.model.queue_events import ApprovalGranted
from gitcto.model.records import Execution, Task, Verdict
from gitcto.runtime.workspace.commits import COAUTHOR_TRAILER
from gitcto.store.reader import LedgerReader

_PROMPT_LINES = 40
_STAT_LINES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A landed task: its execution and commit, what that changed, and who approved it and why."""

    team: str
    task: Task
    execution: Execution
    commit: Commit
    changed: str
    approvals: tuple[tuple[str, str], ...]


def gather(
    repository: Repository, reader: LedgerReader, task: Task, execution: Execution
) -> Landed:
    """Read what a pull request says about a landed task. Raises ``CtoError``."""
    commit = Commit.decode(Objects(repository).read(task.commit)[1])
    bodies = (stored.event.body for stored in reader.events(task=task.spec.id))
    granted = (
        (body.by, body.reason)
        for body in bodies
        if isinstance(body, ApprovalGranted)
        and (body.execution, body.change) == (execution.id, execution.change)
        and body.by in execution.approved_by
    )
    return Landed(
        team=reader.team,
        task=task,
        execution=execution,
        commit=commit,
        changed=stat(trusted(repository), commit.parents[0], task.commit),
        approvals=tuple(granted),
    )


def render(landed: Landed, key: str) -> str:
    """Return the text as Markdown; ``key`` is hidden in it, for whoever looks it up."""
    return "\n".join([*_lines(landed), "", f"<!-- git-cto:{key} -->", ""])


def _lines(landed: Landed) -> Iterator[str]:
    spec = landed.task.spec
    yield f"# {_text(spec.id)}: {_text(spec.title)}"
    yield ""
    attempt = landed.execution.attempt
    yield f"Task `{spec.id}` of team `{landed.team}`, tier {spec.tier}; attempt {attempt} landed."
    yield "Every gate of the tier passed on what landed."
    prompt = spec.prompt.splitlines()
    if prompt:
        yield from ("", "## What was asked for", "")
        yield from (f"> {_text(line)}" for line in prompt[:_PROMPT_LINES])
        yield from ("> …",) if len(prompt) > _PROMPT_LINES else ()
    yield from ("", "## What changed", "")
    stat_lines = landed.changed.splitlines()
    shown = stat_lines if len(stat_lines) <= _STAT_LINES else [*stat_lines[:_STAT_LINES], " …"]
    yield from (f"    {_printable(line)}" for line in shown)
    yield from _evidence(landed)
    yield from _people(landed)


def _evidence(landed: Landed) -> Iterator[str]:
    task = landed.task
    yield from ("", "## Evidence", "")
    yield "| gate | verdict | tests | says | definition | log |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from map(_row, landed.execution.verdicts)
    yield ""
    yield f"Commit `{task.commit}`, tree `{landed.commit.tree}`, evidence `{task.evidence}`."
    yield from ("", "To verify it in a clone that has the team's ledger:", "")
    yield f"    git cto evidence verify {task.spec.id}"
    yield f"    git show --stat {task.commit}"


def _row(verdict: Verdict) -> str:
    cells = (
        verdict.gate,
        verdict.status,
        str(verdict.executed or "-"),
        f"{verdict.reason}: {verdict.detail}" if verdict.detail else verdict.reason,
        f"`{verdict.definition[:12]}`",
        f"`{verdict.log[:12]}`" if verdict.log else "-",
    )
    return f"| {' | '.join(_text(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _people(landed: Landed) -> Iterator[str]:
    author = landed.commit.author
    yield from ("", "## Who", "")
    yield f"- Written by {_text(author.name)}, an agent, which git-cto ran and committed for."
    for person in landed.commit.trailers().get(COAUTHOR_TRAILER, []):
        yield f"- With {_text(person)}, as the agent's own commits say."
    for by, reason in landed.approvals:
        yield f"- Approved by {_text(by)}{f': {_text(reason)}' if reason else ''}."
    if not landed.approvals:
        yield "- Policy asked for no person's approval."


def _text(text: str) -> str:
    """Return text as one line that is no HTML."""
    return _printable(text).replace("&", "&amp;").replace("<", "&lt;")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
