"""What is kept of a worker's context, between one attempt and the next."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gitcto.context.records import Entry
from gitcto.errors import CtoError
from gitcto.model.codec import Event
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.records import Decision, Execution, Task, TaskSpec, TaskState
from gitcto.policy.load import parse
from gitcto.runtime.agents.worker_context import Desk, brief, last_checkpoint, said
from gitcto.runtime.core.briefing import Kept
from gitcto.store.queries import StoredEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = b"version = 1\n[context]\nbudget_tokens = 20000\ncompact_at = 50\n"
DECISION = Decision(
    action="dispatch",
    resource="task/A",
    subject="me",
    rule="roles.developer",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)
EXECUTION = Execution(
    id="x1",
    task="A",
    epoch=1,
    attempt=1,
    state=TaskState.EXECUTING,
    holder="me",
    base="b",
    provider="p",
    role="r",
    leased_ms=1,
    expires_ms=2,
)


@dataclass
class Shelf:
    """Blobs and events in memory."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    kept: list[tuple[str, ContextCheckpointed]] = field(default_factory=list)

    def read(self, oid: str) -> tuple[str, bytes]:
        if oid not in self.blobs:
            raise CtoError(f"object {oid} is missing", "fetch it")
        return "blob", self.blobs[oid]

    def write_blob(self, data: bytes) -> str:
        oid = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        self.blobs[oid] = data
        return oid

    def events(self, *, task: str, newest_first: bool) -> Iterator[StoredEvent]:
        assert newest_first
        for owner, body in reversed(self.kept):
            if owner == task:
                event = Event(id="", ts=0, actor="", prev="", v=1, body=body)
                yield StoredEvent(seq=0, event=event, commit="", line=b"")

    def record(self, task: Task, kept: Kept) -> Task:
        command = kept.command
        fields = {name: getattr(command, name) for name in command.__struct_fields__}
        self.kept.append((task.spec.id, ContextCheckpointed(**fields)))
        return Task(
            spec=task.spec,
            order=1,
            epoch=1,
            attempts=1,
            checkpoint=command.number,
            reason="tests:failed",
            detail=f"red {command.number}",
        )


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def desk(shelf: Shelf) -> Desk:
    return Desk(blobs=shelf, ledger=shelf, policy=parse(POLICY, "policy.toml"))


def told(shelf: Shelf, task: Task, *news: Entry) -> Kept:
    kept = brief(desk(shelf), task, "x1", DECISION, news)
    assert isinstance(kept, Kept), kept
    return kept


def begun(name: str = "A") -> Task:
    return Task(spec=TaskSpec(id=name, title="do it", prompt=f"secret of {name}"), order=1)


def test_many_attempts_stay_within_the_budget_and_the_last_failure_is_whole(shelf: Shelf) -> None:
    task, saved = begun(), 0
    for number in range(40):
        kept = told(shelf, task, Entry(kind="artifact", name=f"log {number}", text="x" * 3000))
        task = shelf.record(task, kept)
        spoken = said(desk(shelf), task, EXECUTION, f"I tried {number} " + "y" * 5000)
        assert spoken is not None
        task = shelf.record(task, spoken)
        saved += kept.command.saved + spoken.command.saved
        assert max(kept.command.tokens, spoken.command.tokens) <= 10_000
    assert saved > 10_000
    prompt = told(shelf, task).briefing.prompt.decode()
    assert f"- attempt 1 failed: tests:failed: {task.detail}\n" in prompt
    assert "secret of A" in prompt
    assert "- artifact from log 0 [" in prompt


def test_a_message_that_waits_is_never_compacted_away(shelf: Shelf) -> None:
    waiting = Entry(kind="message", name="lead", text="keep the API " + "z" * 2000, open=True)
    task = shelf.record(begun(), told(shelf, begun(), waiting))
    for _ in range(30):
        cited = Entry(kind="artifact", text="x" * 4000)
        task = shelf.record(task, told(shelf, task, waiting, cited))
    assert told(shelf, task, waiting).briefing.prompt.decode().count(waiting.text) == 1


def test_a_message_is_told_once_and_not_as_waiting_when_it_does_so_no_more(shelf: Shelf) -> None:
    waiting = Entry(kind="message", name="lead, message 1", text="keep the API", open=True)
    other = Entry(kind="message", name="lead, message 2", text="taken back", open=True)
    acted = Entry(kind="message", name="lead, message 1", text="keep the API (acted on)")
    task = shelf.record(begun(), told(shelf, begun(), waiting, other))
    task = shelf.record(task, told(shelf, task, acted))
    prompt = told(shelf, task).briefing.prompt.decode()
    assert prompt.count("keep the API") == prompt.count("(acted on)") == 1
    assert "taken back" not in prompt


def test_too_much_that_must_be_told_is_a_denial_that_says_how_much(shelf: Shelf) -> None:
    huge = Entry(kind="message", name="lead", text="z" * 90_000, open=True)
    answer = brief(desk(shelf), begun(), "x1", DECISION, (huge,))
    assert isinstance(answer, Decision)
    assert (answer.verdict, answer.rule) == ("deny", "context.budget_tokens")
    assert "the budget is 20000" in answer.reason
    assert shelf.blobs == {}


def test_the_same_stream_is_told_the_same_from_anywhere(shelf: Shelf) -> None:
    """Another machine has the bytes and the events, and nothing else."""
    task = begun()
    for _ in range(12):
        task = shelf.record(task, told(shelf, task, Entry(kind="artifact", text="x" * 4000)))
    there = Shelf(dict(shelf.blobs), list(shelf.kept))
    assert told(there, task).briefing.prompt == told(shelf, task).briefing.prompt
    assert any(event.saved for _, event in shelf.kept)


def test_one_tasks_checkpoint_under_anothers_name_is_not_believed(shelf: Shelf) -> None:
    other = told(shelf, begun("B"))
    shelf.record(begun("A"), other)  # as a ledger that somebody forged would have it
    last = last_checkpoint(shelf, shelf, "A")
    assert last.checkpoint is None
    assert last.damaged == ("checkpoint 1 of what A is told: it is of B",)
    assert "secret of B" not in told(shelf, begun("A")).briefing.prompt.decode()


def test_all_damaged_is_begun_anew(shelf: Shelf) -> None:
    task = shelf.record(begun(), told(shelf, begun()))
    shelf.blobs.clear()
    kept = told(shelf, task)
    assert kept.damaged.endswith("; going on from the one before")
    assert (kept.command.number, kept.command.previous) == (2, "")
    assert "secret of A" in kept.briefing.prompt.decode()


def test_who_says_nothing_makes_no_checkpoint(shelf: Shelf) -> None:
    task = shelf.record(begun(), told(shelf, begun()))
    assert said(desk(shelf), task, EXECUTION, " \n") is None
