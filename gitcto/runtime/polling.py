"""Asking a provider what its running agent has used, as a job."""

from __future__ import annotations

from gitcto.containment import Crashed, TimedOut
from gitcto.provider_contracts import Progress, WorkerOutput
from gitcto.runtime.ask import ask
from gitcto.runtime.context import Context
from gitcto.runtime.jobs import Job, Post
from gitcto.runtime.messages import AgentPolled
from gitcto.runtime.providers import ASK_DEADLINE_S, provider_of
from gitcto.runtime.seats import Turn

_PIECES = 16
"""As many pieces of its output are read at once; the rest the next time."""


def poll(context: Context, turn: Turn, seen: AgentPolled | None) -> Job:
    """Return the job that reads on in what a running agent says; ``seen`` is the last answer."""

    def job(post: Post) -> None:
        answer = seen or AgentPolled(run=turn.run)
        for _ in range(_PIECES):
            before, progress = answer.cursor, progress_of(context, turn, answer.cursor)
            if progress is None:
                break
            answer = AgentPolled(run=turn.run, cursor=progress.cursor, usage=progress.usage)
            if progress.cursor == before:
                break
        post(answer)

    return job


def progress_of(context: Context, turn: Turn, cursor: str) -> Progress | None:
    """Return what is new of a run; None when its provider does not answer."""
    registered, settings = provider_of(context, turn.seated)
    records = context.layout.records(turn.run)
    output = WorkerOutput(
        stdout=records / "stdout.log",
        stderr=records / "stderr.log",
        scratch=context.layout.scratch(turn.seated.id),
        settings=settings.settings,
        before=turn.used_before,
    )
    answer: Progress | Crashed | TimedOut = ask(
        context.plugins, registered, "poll", output, cursor, deadline_s=ASK_DEADLINE_S
    )
    return None if isinstance(answer, Crashed | TimedOut) else answer
