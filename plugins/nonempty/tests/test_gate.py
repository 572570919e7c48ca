from __future__ import annotations

from gitcto_nonempty.gate import NonemptyGate

from gitcto.api import Change
from gitcto.testing import gate_context

CHANGE = Change(status="M", path="a", mode="100644")


def test_nothing_is_refused_and_something_is_counted() -> None:
    gate = NonemptyGate()
    assert gate.judge(gate_context()).reason == "no_diff"
    assert gate.judge(gate_context(changes=(CHANGE,))).detail == "1 path changed"
    assert gate.judge(gate_context(changes=(CHANGE, CHANGE))).detail == "2 paths changed"
