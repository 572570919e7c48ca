"""The contract of a gate, as tests."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from gitcto.contracts import CommandResult, GateContext, GateResult
from gitcto.model.records import TaskSpec
from gitcto.testing.kit import Contract, must, must_be_a_line, must_refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gitcto.contracts import GateRunner

_REASON = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


def gate_context(**facts: Any) -> GateContext:
    """Return a context for a gate: an empty change of task T-1, except for the ``facts`` given.

    ``run`` really runs commands in ``checkout``. A gate whose commands write reports needs a
    ``scratch`` directory beside it.
    """
    checkout: Path | None = facts.get("checkout")
    defaults: dict[str, Any] = {
        "task": TaskSpec(id="T-1", title="Say hello"),
        "execution": "01hzzzzzzzzzzzzzzzzzzzzzzz",
        "attempt": 1,
        "tree": "a" * 40,
        "onto": "b" * 40,
        "work": "c" * 40,
        "message": "T-1: Say hello\n",
        "changes": (),
        "settings": {},
        "deadline_s": 30.0,
        "checkout": checkout,
        "run": _runner(checkout),
    }
    return GateContext(**{**defaults, **facts})


def _runner(checkout: Path | None) -> Callable[[Sequence[str], float], CommandResult]:
    def run(argv: Sequence[str], deadline_s: float) -> CommandResult:
        try:
            done = subprocess.run(
                argv,
                cwd=checkout,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=deadline_s,
                check=False,
            )
        except FileNotFoundError as error:
            return CommandResult(code=127, output=str(error).encode())
        except subprocess.TimeoutExpired as error:
            return CommandResult(code=None, output=error.output or b"")
        return CommandResult(code=done.returncode, output=done.stdout)

    return run


class GateContract(Contract):
    """Subclass it and override :meth:`gate`, :meth:`passing` and :meth:`failing`.

    ``judges`` says what its verdicts are about; empty means what its descriptor says, if it is
    installed. A gate that runs tests overrides :meth:`without_tests`, too.
    """

    judges: ClassVar[Literal["", "change", "tree"]] = ""

    @pytest.fixture
    def gate(self) -> GateRunner:
        """Return the gate under test."""
        raise NotImplementedError("override the fixture `gate`")

    @pytest.fixture
    def passing(self) -> GateContext:
        """Return a change the gate lets through; see :func:`gate_context`."""
        raise NotImplementedError("override the fixture `passing`")

    @pytest.fixture
    def failing(self) -> GateContext:
        """Return a change the gate refuses."""
        raise NotImplementedError("override the fixture `failing`")

    @pytest.fixture
    def without_tests(self) -> GateContext | None:
        """Return a change with which no test is run, although its command succeeds."""
        return None

    def test_it_passes_a_good_change(self, gate: GateRunner, passing: GateContext) -> None:
        """A good change passes."""
        result = gate.judge(passing)
        must_be_well_formed(result)
        must(result.status == "pass", f"a good change was refused: {result.reason}")

    def test_it_refuses_a_bad_change(self, gate: GateRunner, failing: GateContext) -> None:
        """A bad change fails: a gate that cannot say no proves nothing."""
        self.needs("fails")
        result = gate.judge(failing)
        must_be_well_formed(result)
        must(result.status == "fail", f"a bad change was not refused: {result.status}")

    def test_it_says_the_same_twice(
        self, gate: GateRunner, passing: GateContext, failing: GateContext
    ) -> None:
        """Verdicts are kept by tree, so a gate may not depend on what it judged before."""
        statuses = [gate.judge(each).status for each in (passing, failing, passing, failing)]
        must(statuses[:2] == statuses[2:], "the same change got two different verdicts")

    def test_it_judges_nothing_else(
        self, gate: GateRunner, passing: GateContext, failing: GateContext
    ) -> None:
        """A verdict is reused for the same tree, or the same change: it depends on nothing else."""
        about = self.judges or _registered_as(gate)
        if not about:
            pytest.skip("it is not installed, and `judges` is not set")
        other = _OTHER_TREE if about == "change" else _OTHER_CHANGE
        for context in (passing, failing):
            first, second = (
                gate.judge(x) for x in (context, dataclasses.replace(context, **other))
            )
            same = (first.status, first.reason) == (second.status, second.reason)
            must(same, f"a gate that judges a {about} gave two verdicts on one")

    def test_a_green_without_tests_is_none(
        self, gate: GateRunner, without_tests: GateContext | None
    ) -> None:
        """A command that succeeds and runs no test has shown nothing."""
        if without_tests is None:
            pytest.skip("it runs no tests: `without_tests` is not overridden")
        result = gate.judge(without_tests)
        must_be_well_formed(result)
        must(result.status == "not_run", f"no test was run, and it says {result.status}")

    def test_what_failed_can_be_asked_for(self, gate: GateRunner, failing: GateContext) -> None:
        """The tests that it names can be run again alone, and fail again."""
        result = self._naming(gate, failing)
        again = gate.judge(dataclasses.replace(failing, only=result.failed))
        must_be_well_formed(again)
        must(set(again.failed) == set(result.failed), "other tests failed when asked for alone")

    def test_what_is_quarantined_does_not_count(
        self, gate: GateRunner, failing: GateContext
    ) -> None:
        """Failures of quarantined tests are ignored, and said to be."""
        result = self._naming(gate, failing)
        ignored = frozenset(result.failed)
        again = gate.judge(dataclasses.replace(failing, quarantined=ignored))
        must_be_well_formed(again)
        must(again.status != "fail", f"a quarantined test counts: {again.reason}")
        must(set(again.ignored) == ignored, "it does not say which failures it ignored")

    def _naming(self, gate: GateRunner, failing: GateContext) -> GateResult:
        result = gate.judge(failing)
        if not result.failed:
            pytest.skip("it names no tests")
        return result

    def test_unknown_setting_is_refused(self, gate: GateRunner, passing: GateContext) -> None:
        """A typing error in policy is an error, not a default."""
        self.needs("settings")
        settings = self.with_unknown_setting(passing.settings)
        context = dataclasses.replace(passing, settings=settings)
        must_refuse(lambda: gate.judge(context), "no_such_setting")

    @pytest.mark.parametrize("code", [None, 126, 127])
    def test_a_command_that_could_not_run_is_not_green(
        self, gate: GateRunner, passing: GateContext, code: int | None
    ) -> None:
        """Past its deadline, not executable, not found: never a pass and never a fail."""
        self.needs("runs_commands")
        result = CommandResult(code=code, output=b"")
        verdict = gate.judge(dataclasses.replace(passing, run=lambda _argv, _deadline_s: result))
        must_be_well_formed(verdict)
        must(verdict.status == "not_run", f"code {code} must be not_run, not {verdict.status}")

    def test_it_leaves_the_checkout_alone(self, gate: GateRunner, passing: GateContext) -> None:
        """The gate itself writes nothing there (what the commands it runs write is theirs)."""
        checkout = passing.checkout
        silent = dataclasses.replace(passing, run=lambda _argv, _deadline_s: _NOTHING)
        before = _listing(checkout)
        gate.judge(silent)
        must(_listing(checkout) == before, "the gate wrote into the checkout")

    def test_it_prints_nothing(
        self, gate: GateRunner, passing: GateContext, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Standard output belongs to the command line."""
        gate.judge(passing)
        must(capfd.readouterr() == ("", ""), "a gate must not print")


_NOTHING = CommandResult(code=1, output=b"")

_OTHER_TREE: dict[str, Any] = {"tree": "d" * 40, "onto": "e" * 40, "work": "f" * 40, "attempt": 2}
"""What a gate that judges changes gets for the same change elsewhere."""

_OTHER_CHANGE: dict[str, Any] = {
    "task": TaskSpec(id="T-2", title="Say goodbye"),
    "execution": "01hyyyyyyyyyyyyyyyyyyyyyyy",
    "message": "T-2: Say goodbye\n",
    "work": "f" * 40,
    "onto": "e" * 40,
    "change": "9" * 64,
}
"""What a gate that judges trees gets when other work leads to the same tree."""


def _registered_as(gate: object) -> str:
    """Return what the descriptor of an installed gate says that it judges."""
    from gitcto.plugins import Plugins

    target = f"{type(gate).__module__}:{type(gate).__qualname__}"
    offered = (registered.descriptor for registered in Plugins.load().gates().values())
    return next((gate.judges for gate in offered if gate.target == target), "")


def must_be_well_formed(result: object) -> None:
    """Require a ``GateResult`` whose reason is a short code and whose detail is one line."""
    if type(result) is not GateResult:
        must(condition=False, promise=f"judge() must return a GateResult, not {result!r}")
        return
    must(_REASON.match(result.reason), f"reason must be a short code: {result.reason!r}")
    must_be_a_line(result.detail, "detail")
    must(isinstance(result.log, bytes), "log must be bytes")
    for what, names in (("failed", result.failed), ("ignored", result.ignored)):
        fine = isinstance(names, tuple) and all(isinstance(name, str) and name for name in names)
        must(fine, f"{what} must be a tuple of names")
    must(result.status == "fail" or not result.failed, "only a verdict that fails names failures")
    named = len(result.failed) + len(result.ignored)
    must(named == 0 or result.executed >= named, "executed must count the tests that failed")


def _listing(checkout: Path | None) -> list[tuple[str, bytes]]:
    if checkout is None:
        return []
    return sorted(
        (str(path), path.read_bytes() if path.is_file() else b"") for path in checkout.rglob("*")
    )
