"""Subjects of ledger commits: every kind of event says something on one line."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from gitcto.model import events as ev
from gitcto.model.agent_records import Fault
from gitcto.model.draft_events import PlanDrafted
from gitcto.model.draft_records import Asked, Draft
from gitcto.model.provider_events import ProviderAdmitted
from gitcto.model.provider_records import Admission, Compared
from gitcto.model.records import TaskSpec, TaskState, TeamMode
from gitcto.model.state import State
from gitcto.store.subjects import subject
from tests.store.conftest import ALLOW, LANDING, VERDICT

ADMISSION = Admission(
    id="A1",
    provider="codex",
    plugin="codex",
    digest="a" * 64,
    version="1",
    licence="MIT",
    source="npm:codex@1",
    command="npm install codex@1",
    retrieved="2026-11-29",
    files=("/opt/codex",),
)
DRAFT = Draft(
    id="D1",
    objective="greet better",
    provider="p",
    base="b" * 40,
    policy="c" * 64,
    digest="d" * 64,
    plan="e" * 40,
    answer="f" * 40,
    tasks=2,
    problems=0,
)
SAMPLES: dict[str, Any] = {
    "asked": Asked(id="D1", objective="greet better", provider="p", base="b" * 40),
    "decision": ALLOW,
    "landing": LANDING,
    "verdict": VERDICT,
    "mode": TeamMode.PAUSED,
    "then": TaskState.QUEUED,
    "charged": True,
    "mails": ((3, 5), (7, 7)),
    "fault": Fault(kind="rate"),
    "results": (Compared(provider="p", plugin="p", tasks=2, landed=1, attempts=3),),
}


def sample(kind: type[ev.EventBody]) -> ev.EventBody:
    fields = {}
    for field in msgspec.structs.fields(kind):
        plain: Any = 7 if field.type is int else f"some-{field.name}"
        fields[field.name] = SAMPLES.get(field.name, plain)
    if kind is ev.TaskAdded:
        fields["task"] = TaskSpec(id="T1", title="first")
    if kind is PlanDrafted:
        fields["draft"] = DRAFT
    if kind is ProviderAdmitted:
        fields["admission"] = ADMISSION
    return kind(**fields)


@pytest.mark.parametrize("kind", get_args(ev.EventBody))
def test_every_kind_of_event_has_a_phrase(kind: type[ev.EventBody]) -> None:
    line = subject(State(), [sample(kind)])
    assert 5 < len(line) <= 100
    assert line.isprintable()
    assert "{" not in line


def test_a_task_is_named_also_when_it_was_leased_just_now() -> None:
    leased = sample(ev.ExecutionLeased)
    failed = sample(ev.ExecutionFailed)
    assert subject(State(), [leased, failed]) == (
        "2 events: some-task: attempt 7 leased to some-provider; "
        "some-task: attempt failed (some-reason), qu…"
    )


def test_hostile_text_stays_on_one_short_line() -> None:
    nasty = "x\ny\r\t\x1b[31m\u202e" + "z" * 300
    line = subject(State(), [ev.PlanImported(source=nasty, digest="", tasks=2)])
    assert line.startswith("plan x y [31m zzz")
    assert line.endswith("…")
    assert len(line) == 100
