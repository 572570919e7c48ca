"""What an error of a model or of its server means: one class for all providers. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.model.agent_records import Fault

if TYPE_CHECKING:
    from gitcto.model.agent_records import FaultKind

DETAIL = 300
"""Longest detail of a fault, in characters."""

MOST_WAIT_S = 7 * 24 * 3600
"""Longest time that a provider is believed to want us to wait (seconds)."""

_QUOTA = re.compile(
    r"insufficient[_ ]quota|quota|billing|usage limit|out of credit|credit balance"
    r"|spend(ing)? limit|payment required",
    re.IGNORECASE,
)
_RATE_ONLY = re.compile(r"per[- ]?(minute|second)|rate[_ -]?limit", re.IGNORECASE)
_AUTH = re.compile(
    r"unauthori[sz]ed|authentication|invalid (api|x-api)[ -]?key|api key (not valid|is missing)"
    r"|not logged in|please (log ?in|run /login)|permission[_ ]denied",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate[_ -]?limit|too many requests|resource_exhausted|exhausted (your )?capacity",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"overloaded|high demand|internal server error|bad gateway|service unavailable|unavailable"
    r"|model .{0,80}not (found|exist)",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"connection (refused|error|failed)|econnrefused|enotfound|error sending request"
    r"|failed to connect|proxy connect",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"stream (disconnected|closed|ended|error)|before (response\.)?complet|unexpected end"
    r"|premature|incomplete|econnreset|socket hang up|connection (reset|closed)|terminated"
    r"|invalid ?stream|without a? ?finish",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"empty (response|answer|reply)|no (response|content)", re.IGNORECASE)
_STATUS = re.compile(
    r"(?:status(?:[ _]?code)?|http|api[ _]error|error(?:[ _]code)?|code)\W{0,4}([45]\d\d)\b",
    re.IGNORECASE,
)
_REASONED = re.compile(r"\b([45]\d\d) [A-Z][a-z]")
"""A status before its reason (``503 Service Unavailable``)."""

_WAIT = re.compile(
    r"(?:try again|retry[- ]?(?:after|in|delay)|resets?(?: in| after))\D{0,12}"
    r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>ms|milliseconds?|s\b|sec|m\b|min|h\b|hour|d\b|day)?",
    re.IGNORECASE,
)
_UNITS = {"ms": 0.001, "mi": 60, "m": 60, "s": 1, "h": 3600, "d": 86400}
_FORBIDDEN = frozenset({401, 403, 407})
_UNUSUAL = frozenset({408, 409, 425})
"""Statuses of the client's fault that pass by themselves."""

_PAYMENT, _MANY, _BROKEN = 402, 429, 500


def fault(kind: FaultKind, detail: str, *, retryable: bool = True, code: str = "") -> Fault:
    """Return a fault whose detail is one bounded line."""
    return Fault(kind=kind, detail=one_line(detail), retryable=retryable, provider_code=code)


def fault_of(text: str, *, status: int = 0, code: str = "", retry_after_s: float = 0) -> Fault:
    """Return what an error means that a model, its server or an agent reported.

    :param text: the message. What follows is taken from it where it is not told otherwise.
    :param status: the HTTP status; 0 when it is not known.
    :param code: what the provider calls the error (``insufficient_quota``).
    :param retry_after_s: when to ask again, in seconds.
    """
    status = status or _status_in(code) or _status_in(text)
    kind, retryable = _kind(status, f"{code} {text}")
    wait = retry_after_s or _wait_in(text)
    return Fault(
        kind=kind,
        detail=one_line(text or code or f"status {status}"),
        retryable=retryable,
        retry_after_s=min(MOST_WAIT_S, -int(-wait // 1)),
        provider_code=one_line(code or (str(status) if status else ""))[:80],
    )


def one_line(text: str) -> str:
    """Return a text as one printable line of at most :data:`DETAIL` characters."""
    words = " ".join(text[: 4 * DETAIL].split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:DETAIL]


def _kind(status: int, text: str) -> tuple[FaultKind, bool]:
    """Return the class of an error, and whether it may pass by itself."""
    if status in _FORBIDDEN:
        return "auth", False
    if status == _PAYMENT or (status in {0, _MANY} and _is_quota(text)):
        return "quota", False
    if status == _MANY:
        return "rate", True
    if status >= _BROKEN or status in _UNUSUAL:
        return "model", True
    if status:
        return "model", False
    for pattern, kind, retryable in _BY_WORDS:
        if pattern.search(text):
            return kind, retryable
    return "tool", True


_BY_WORDS: tuple[tuple[re.Pattern[str], FaultKind, bool], ...] = (
    (_AUTH, "auth", False),
    (_RATE, "rate", True),
    (_UNREACHABLE, "model", True),
    (_CUT, "protocol", True),
    (_MODEL, "model", True),
    (_EMPTY, "empty", True),
)


def _is_quota(text: str) -> bool:
    """Tell whether all is used up, and not only too much at once."""
    return bool(_QUOTA.search(text)) and not _RATE_ONLY.search(text)


def _status_in(text: str) -> int:
    if text.isdecimal():
        return int(text) if len(text) == 3 and text[0] in "45" else 0  # noqa: PLR2004  (404)
    found = _STATUS.search(text) or _REASONED.search(text)
    return int(found[1]) if found else 0


def _wait_in(text: str) -> float:
    found = _WAIT.search(text)
    if not found:
        return 0
    unit = (found["unit"] or "s").lower()
    return float(found["number"]) * (_UNITS.get(unit[:2]) or _UNITS[unit[0]])
