"""What a run of an agent was: success only when its code, its last event and its rights agree."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from gitcto.agents.dialect import Transcript, fold, fold_events, own
from gitcto.agents.faults import fault, fault_of, one_line
from gitcto.agents.lines import read_lines
from gitcto.provider_contracts import WorkerReport

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.agents.dialect import Dialect
    from gitcto.model.agent_records import Fault
    from gitcto.provider_contracts import WorkerOutcome

STDERR_BYTES = 16384
"""How much of the end of standard error is looked at."""

_CANNOT_START = (126, 127)
_SIGNALLED = 128
_LIMITS = {
    "wall": "the limit on its time",
    "idle": "the limit on time without a sign of life",
}


def collect_report(dialect: Dialect, outcome: WorkerOutcome) -> WorkerReport:
    """Read a finished run's files and return what it was. What a plugin's ``collect`` may be."""
    lines = read_lines(outcome.stdout)
    transcript = reduce(lambda so_far, line: fold(dialect, so_far, line), lines, Transcript())
    stderr = last_words(outcome.stderr)
    transcript = fold_events(dialect, transcript, dialect.complaints(stderr))
    return report_of(dialect, outcome, transcript, stderr)


def report_of(
    dialect: Dialect, outcome: WorkerOutcome, transcript: Transcript, stderr: str
) -> WorkerReport:
    """Return what a run was, from its transcript and the end of its standard error. Pure."""
    return WorkerReport(
        summary=one_line(transcript.message),
        message=transcript.message,
        fault=_fault(dialect, outcome, transcript, stderr),
        session=transcript.session,
        usage=own(dialect, transcript.usage, outcome.before),
        notes=_notes(outcome, transcript),
    )


def last_words(path: Path) -> str:
    """Return the end of a file of text, empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - STDERR_BYTES))
            return file.read(STDERR_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _fault(
    dialect: Dialect, outcome: WorkerOutcome, transcript: Transcript, stderr: str
) -> Fault | None:
    """Return why a run is no success, None when nothing speaks against it.

    What we did to it comes first, then what it says itself; its exit code says the least.
    """
    if outcome.cause in _LIMITS:
        return fault("timeout", f"it was ended by {_LIMITS[outcome.cause]}")
    if outcome.cause != "exited":
        return fault("killed", f"it was ended: {outcome.cause}")
    if outcome.code in _CANNOT_START:
        return fault("tool", _last_line(stderr) or "it cannot be started", retryable=False)
    if outcome.session and transcript.session and transcript.session != outcome.session:
        detail = f"it began session {transcript.session} instead of going on in {outcome.session}"
        return fault("protocol", detail, retryable=False)
    ended, error = transcript.ended, transcript.error
    if transcript.refused and (ended is None or ended.ok or error is None):
        names = ", ".join(transcript.refused)
        return fault("refused", f"it was not allowed to use {names}", retryable=False)
    if ended is not None and not ended.ok:
        told = error if error is not None and not ended.text else ended
        return dialect.fault(told.text or _last_line(stderr) or "it reported a failure", told.name)
    if ended is None or outcome.code or (dialect.errors_decide and error is not None):
        return _unfinished(dialect, outcome, transcript, stderr)
    if not transcript.message.strip() and not transcript.worked:
        return fault("empty", "it ended without a word")
    return None


def _unfinished(
    dialect: Dialect, outcome: WorkerOutcome, transcript: Transcript, stderr: str
) -> Fault:
    """Return the fault of a run without a terminal event, or with one that its code denies."""
    if transcript.error is not None:
        return dialect.fault(transcript.error.text, transcript.error.name)
    if outcome.code > _SIGNALLED and transcript.ended is None:
        return fault("killed", f"it ended by itself with code {outcome.code}", code=_code(outcome))
    words = _last_line(stderr)
    if outcome.code:
        found = fault_of(words)
        return fault(
            found.kind,
            words or f"exit code {outcome.code}",
            retryable=found.retryable,
            code=_code(outcome),
        )
    detail = "its output has no end: it stopped before its last event"
    if transcript.stray:
        detail = f"its output has no end; it said: {transcript.stray[-1]}"
    return fault("protocol", detail)


def _code(outcome: WorkerOutcome) -> str:
    return f"exit {outcome.code}"


def _last_line(text: str) -> str:
    """Return the last line with something on it; one that speaks of an error is better."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return one_line((errors or lines or [""])[-1])


def _notes(outcome: WorkerOutcome, transcript: Transcript) -> tuple[str, ...]:
    notes = [one_line(text) for text in transcript.warnings]
    if outcome.cut_bytes:
        notes.append(f"{outcome.cut_bytes} bytes of its output were cut")
    if transcript.refused:
        notes.append(one_line(f"refused: {', '.join(transcript.refused)}"))
    if transcript.stray:
        notes.append(one_line(f"not in its dialect: {transcript.stray[0]}"))
    return tuple(note for note in notes if note)
