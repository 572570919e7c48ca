from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.containment import Crashed, TimedOut, call_contained
from gitcto.contracts import GateResult
from gitcto.descriptors import Gate, Workspace
from gitcto.errors import CtoError, ExitCode
from gitcto.provider_contracts import Launch
from gitcto.registry import Registered
from gitcto.testing import Faulty, gate_context

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = GateResult(status="pass", reason="fine")
REGISTERED = Registered(
    descriptor=Gate(name="g", summary="Judge.", target="m:G"),
    plugin="p",
    distribution="cto-p",
    version="1.0",
)


class GoodGate:
    def judge(self, _context: object) -> GateResult:
        return GOOD


class Forged(GateResult):
    """A subclass that would answer differently."""


def judged(gate: object, deadline_s: float = 30.0) -> Any:
    return call_contained(REGISTERED, gate, "judge", gate_context(), deadline_s=deadline_s)


def test_a_value_comes_through() -> None:
    assert judged(GoodGate()) is GOOD


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(0), KeyboardInterrupt()])
def test_whatever_is_raised_comes_back_naming_the_plugin(error: BaseException) -> None:
    outcome = judged(Faulty(GoodGate(), on="judge", error=error))
    assert isinstance(outcome, Crashed)
    assert outcome.plugin == "p"
    assert outcome.what == "gate 'g' of plugin 'p' (cto-p 1.0)"
    assert type(error).__name__ in outcome.reason
    assert "Traceback" in outcome.traceback
    assert not outcome.expected


def test_trouble_the_plugin_reports_keeps_its_words() -> None:
    error = CtoError("argv is empty", "write a list", ExitCode.POLICY)
    outcome = judged(Faulty(GoodGate(), on="judge", error=error))
    assert isinstance(outcome, Crashed)
    assert (outcome.reason, outcome.hint, outcome.expected) == (
        "argv is empty",
        "write a list",
        True,
    )
    assert outcome.error().exit_code == ExitCode.POLICY


@pytest.mark.parametrize("value", [None, True, "pass", {"status": "pass"}])
def test_another_type_is_a_crash(value: object) -> None:
    outcome = judged(Faulty(GoodGate(), on="judge", garbage=value))
    assert isinstance(outcome, Crashed)
    assert outcome.reason == f"judge() returned {type(value).__name__}, not GateResult"


def test_a_type_that_only_has_the_name_is_a_crash() -> None:
    forged = type("GateResult", (), {"status": "pass"})()
    assert isinstance(judged(Faulty(GoodGate(), on="judge", garbage=forged)), Crashed)
    subclass = Forged(status="pass", reason="forged")
    assert isinstance(judged(Faulty(GoodGate(), on="judge", garbage=subclass)), Crashed)


@pytest.fixture
def hanging() -> Iterator[Faulty]:
    gate = Faulty(GoodGate(), on="judge", hang=True)
    yield gate
    gate.release()


def test_a_hang_ends_at_the_deadline(hanging: Faulty) -> None:
    outcome = judged(hanging, deadline_s=0.05)
    assert isinstance(outcome, TimedOut)
    assert outcome.plugin == "p"
    assert outcome.reason == "did not return within 0.05 s"
    (left,) = [each for each in threading.enumerate() if each.name == "gitcto plugin p"]
    assert left.daemon


def test_a_room_that_is_made_returns_nothing() -> None:
    class Maker:
        def create(self, _request: object) -> None: ...

        def release(self, *_arguments: object) -> bool:
            return True

    maker = replace(REGISTERED, descriptor=Workspace(name="w", summary="Make.", target="m:W"))
    assert call_contained(maker, Maker(), "create", 1, deadline_s=9) is None
    outcome = call_contained(maker, Maker(), "release", 1, deadline_s=9)
    assert isinstance(outcome, Crashed)


def test_an_answer_that_is_none_of_the_three_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="must be one of"):
        GateResult(status="green", reason="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("argv", [(), "ls -l", ("ls", 1), ["ls"]])
def test_a_launch_is_a_tuple_of_words(argv: Any) -> None:
    with pytest.raises(TypeError, match=r"Launch\.argv"):
        Launch(argv=argv)
    with pytest.raises(TypeError, match=r"Launch\.env"):
        Launch(argv=("ls",), env={"A": 1})  # type: ignore[dict-item]
