"""One commit a task, and it says which: ``<TASK-ID>: <summary>`` and its trailers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.api import GateContext

DEFAULT_MAX_SUBJECT = 100
"""Longest subject line, in characters, unless ``max_subject`` in policy says otherwise."""

_SUMMARY_ROOM = 20
_TRAILER = re.compile(r"([A-Za-z0-9-]+):[ \t]*(.*)\Z")


class CommitFormatGate:
    """Judges the message of the attempt's commit."""

    def judge(self, context: GateContext) -> GateResult:
        """Name the first thing that is wrong with the message."""
        limit = _settings(context.settings)
        problem = next(_problems(context, limit), None)
        if problem is None:
            return GateResult(status="pass", reason="well_formed")
        reason, detail = problem
        return GateResult(status="fail", reason=reason, detail=detail)


def _problems(context: GateContext, limit: int) -> Iterator[tuple[str, str]]:
    subject, _, rest = context.message.partition("\n")
    prefix = f"{context.task.id}: "
    if not subject.startswith(prefix):
        yield "no_task_id", f"the subject must start with {prefix!r}"
    elif not subject.removeprefix(prefix).strip():
        yield "no_summary", "the subject has no summary after the task's id"
    if not subject.isprintable():
        yield "control_character", "the subject holds a control character"
    if len(subject) > limit:
        yield "too_long", f"the subject has {len(subject)} characters; {limit} are allowed"
    if rest and not rest.startswith("\n"):
        yield "no_blank_line", "the second line must be empty"
    yield from _trailer_problems(context, _trailers(rest))


def _trailer_problems(
    context: GateContext, trailers: dict[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """Look at git-cto's own trailers; the tier may be left out, and others may be there."""
    for key, wanted in (
        ("Cto-Task", context.task.id),
        ("Cto-Execution", context.execution),
        ("Cto-Tier", context.task.tier),
    ):
        found = trailers.get(key.lower(), [])
        if found != [wanted] and (found or key != "Cto-Tier"):
            said = ", ".join(ascii(value) for value in found) or "missing"
            yield "bad_trailer", f"trailer {key} must be {wanted!r} once, and it is {said}"


def _trailers(body: str) -> dict[str, list[str]]:
    """Return the trailers of the last paragraph, by lower-case key, as git reads them."""
    found: dict[str, list[str]] = {}
    for line in body.rstrip().rpartition("\n\n")[2].split("\n"):
        match = _TRAILER.match(line)
        if match:
            found.setdefault(match[1].lower(), []).append(match[2].strip())
    return found


def _settings(table: Mapping[str, object]) -> int:
    for key in table:
        if key != "max_subject":
            raise _bad(f"unknown key {key!r}", "it takes max_subject")
    limit = table.get("max_subject", DEFAULT_MAX_SUBJECT)
    if type(limit) is not int or limit < _SUMMARY_ROOM:
        hint = f"write a number of at least {_SUMMARY_ROOM}"
        raise _bad("max_subject must be a number of characters", hint)
    return limit


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"gate commit-format: {message}", hint, ExitCode.POLICY)
