from __future__ import annotations

import json

import pytest
from gitcto_case.dialect import KINDS, meanings

from gitcto.api import AgentEvent, Usage


def test_an_event_is_taken_as_it_is_said() -> None:
    line = {"event": "used", "usage": {"input_tokens": 7, "cost_micros": 9}}
    assert list(meanings(json.loads(json.dumps(line)))) == [
        AgentEvent(kind="used", usage=Usage(input_tokens=7, cost_micros=9))
    ]
    ended = {"event": "ended", "ok": False, "text": "no", "name": "E1"}
    assert list(meanings(ended)) == [AgentEvent(kind="ended", ok=False, text="no", name="E1")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_is_known(kind: str) -> None:
    assert [event.kind for event in meanings({"event": kind})] == [kind]


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"event": "approved"},
        {"event": "message", "text": 3},
        {"event": "used", "usage": {"input_tokens": "x"}},
        {"event": ["ended"]},
    ],
)
def test_what_is_malformed_means_nothing(line: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        list(meanings(line))


def test_only_true_is_a_success() -> None:
    assert [event.ok for event in meanings({"event": "ended", "ok": "yes"})] == [False]
