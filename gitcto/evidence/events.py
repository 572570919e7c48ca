"""A ledger's events of one attempt as CloudEvents 1.0, one a line, chained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gitcto.evidence.account import LedgerLine
from gitcto.evidence.canonical import canonical, digest, time_text
from gitcto.evidence.manifest import Refusal

GENESIS = "0" * 64
"""``prev`` of the first line."""


def normalized(team: str, execution: str, lines: Iterable[LedgerLine]) -> bytes:
    """Return the lines as CloudEvents. Each quotes in ``prev`` the SHA-256 of the one before."""
    out: list[bytes] = []
    prev = GENESIS
    for one in lines:
        line = canonical(_event(team, execution, one, prev))
        prev = digest(line)
        out.append(line + b"\n")
    return b"".join(out)


def _event(team: str, execution: str, one: LedgerLine, prev: str) -> dict[str, Any]:
    event = json.loads(one.line)
    body = event["body"]
    return {
        "actor": event["actor"],
        "data": body,
        "datacontenttype": "application/json",
        "id": event["id"],
        "ledgerline": digest(one.line),
        "prev": prev,
        "seq": one.seq,
        "source": f"git-cto/teams/{team}",
        "specversion": "1.0",
        "subject": execution,
        "time": time_text(event["ts"]),
        "type": body["kind"],
        "v": event["v"],
    }


def verify_events(raw: bytes, report: dict[str, Any]) -> list[Refusal]:
    """Return what is wrong with a bundle's events by themselves and beside its report."""
    try:
        events = [json.loads(line) for line in raw.splitlines()]
        return list(_judge(raw, events, report))
    except (ValueError, KeyError, TypeError, AttributeError):
        return [Refusal("events_malformed", "a line of the events is no CloudEvent")]


def _judge(raw: bytes, events: list[dict[str, Any]], report: dict[str, Any]) -> Iterator[Refusal]:
    prev, seq, again = GENESIS, 0, b""
    for event in events:
        line = canonical(event)
        again += line + b"\n"
        if event["prev"] != prev:
            yield Refusal("events_chain", f"event {event['id']} does not follow the one before it")
        if event["seq"] <= seq:
            yield Refusal("events_order", f"event {event['id']} is out of order")
        if event["subject"] != report["execution"] or event["type"] != event["data"]["kind"]:
            yield Refusal("events_foreign", f"event {event['id']} is not of this attempt")
        prev, seq = digest(line), event["seq"]
    if again != raw:
        yield Refusal("events_malformed", "the events are not in canonical form")
    if report["events"] != span(events):
        yield Refusal("event_missing", "the events are not those that the report counted")
    yield from _beginning(events, report)


def span(events: list[dict[str, Any]]) -> dict[str, int]:
    """Return the numbers of the first and the last event, and how many there are."""
    numbers = [event["seq"] for event in events] or [0]
    return {"first": numbers[0], "last": numbers[-1], "count": len(events)}


def _beginning(events: list[dict[str, Any]], report: dict[str, Any]) -> Iterator[Refusal]:
    kinds = {event["type"]: event["data"] for event in events}
    leased = kinds.get("execution.leased")
    if leased is None:
        yield Refusal("event_missing", "the events lack the lease of this attempt")
        return
    for key in ("execution", "task", "epoch", "attempt", "base"):
        if leased[key] != report[key]:
            yield Refusal(f"report_{key}", f"it was leased with {key} {leased[key]}")
    if leased.get("nonce", "") != report["nonce"]:
        yield Refusal("nonce", "the report has another nonce than the lease")
    harvested = kinds.get("work.harvested")
    if report["status"] == "pass" and harvested is None:
        yield Refusal("stale_events", "the events end before the work was taken up")
    if harvested is not None and harvested["commit"] != report["work"]:
        yield Refusal("report_work", "the report is about other work than was taken up")
