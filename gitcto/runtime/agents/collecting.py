"""Asking a provider what its worker said of itself at its end."""

from __future__ import annotations

from gitcto.containment import Crashed, TimedOut
from gitcto.provider_contracts import WorkerOutcome, WorkerReport, failed
from gitcto.runtime.agents.providers import ASK_DEADLINE_S
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.worker.workers import Exit


def collect(context: Context, turn: Turn, exit_: Exit) -> WorkerReport:
    """Return what a step's worker said; where nobody can read that, what its exit code says."""
    settings = context.policy.providers.get(turn.step.provider)
    registered = context.plugins.providers().get(settings.plugin) if settings else None
    if registered is None:
        ended = f"exit code {exit_.code}"
        return WorkerReport() if exit_.code == 0 else failed("tool", ended)
    records = context.layout.records(turn.run)
    outcome = WorkerOutcome(
        code=exit_.code,
        cause=exit_.cause,
        stdout=records / "stdout.log",
        stderr=records / "stderr.log",
        scratch=context.layout.scratch(turn.seated.id),
        settings=settings.settings if settings else {},
        before=turn.used_before,
        session=turn.session,
        cut_bytes=exit_.cut_bytes,
    )
    answer: WorkerReport | Crashed | TimedOut = ask(
        context.plugins, registered, "collect", outcome, deadline_s=ASK_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        return failed("internal", f"{answer.what}: {answer.reason}")
    return answer
