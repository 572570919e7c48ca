"""Asking a provider what its running agent says and has used."""

from __future__ import annotations

from typing import NamedTuple

from gitcto.containment import Crashed, TimedOut
from gitcto.plugins import Plugins
from gitcto.policy.records import Policy
from gitcto.provider_contracts import Progress, WorkerOutput
from gitcto.runtime.agents.providers import ASK_DEADLINE_S
from gitcto.runtime.core.jobs import Job, Post
from gitcto.runtime.core.messages import AgentPolled
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import Layout

_PIECES = 16
"""As many pieces of its output are read at once; the rest the next time."""


class Source(NamedTuple):
    """Where what agents say is found, and who understands it."""

    plugins: Plugins
    policy: Policy
    layout: Layout


def poll(context: Context, turn: Turn, seen: AgentPolled | None) -> Job:
    """Return the job that reads on in what a running agent says; ``seen`` is the last answer."""
    source = Source(context.plugins, context.policy, context.layout)

    def job(post: Post) -> None:
        answer = seen or AgentPolled(run=turn.run)
        for _ in range(_PIECES):
            before, progress = answer.cursor, progress_of(source, turn, answer.cursor)
            if progress is None:
                break
            answer = AgentPolled(run=turn.run, cursor=progress.cursor, usage=progress.usage)
            if progress.cursor == before:
                break
        post(answer)

    return job


def progress_of(source: Source, turn: Turn, cursor: str) -> Progress | None:
    """Return what is new of a run; None when there is no provider that answers."""
    settings = source.policy.providers.get(turn.step.provider)
    registered = source.plugins.providers().get(settings.plugin) if settings else None
    if settings is None or registered is None:
        return None
    records = source.layout.records(turn.run)
    output = WorkerOutput(
        stdout=records / "stdout.log",
        stderr=records / "stderr.log",
        scratch=source.layout.scratch(turn.seated.id),
        settings=settings.settings,
        before=turn.used_before,
    )
    answer: Progress | Crashed | TimedOut = ask(
        source.plugins, registered, "poll", output, cursor, deadline_s=ASK_DEADLINE_S
    )
    return None if isinstance(answer, Crashed | TimedOut) else answer
