"""The one way the core calls a plugin: with a deadline, and never raising.

pluggy isolates nothing, and neither does Python. What a failure *means* is the caller's decision,
so a failure comes back as a value that names the plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from gitcto.contract_types import OURS, returns
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitcto.contracts import (
        DraftPlan,
        GateResult,
        MergeResult,
        Probe,
    )
    from gitcto.integration_contracts import Receipt
    from gitcto.provider_contracts import Launch, Progress, WorkerReport
    from gitcto.registry import Registered
    from gitcto.room_contracts import Confined, RoomNeeds, RoomTips

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """A plugin's call that raised, or returned what its contract does not allow.

    ``what`` says who and where (``gate tests of plugin tests``), ``reason`` is one line,
    ``hint`` one line of what to do, ``traceback`` the whole story for a log. ``expected`` tells
    trouble the plugin reported itself (a ``CtoError``) from a defect in the plugin, and ``refused``
    a definite no (:class:`gitcto.integration_contracts.Refused`) from anything else.
    """

    plugin: str
    what: str
    reason: str
    hint: str
    traceback: str = ""
    expected: bool = False
    refused: bool = False
    exit_code: ExitCode = ExitCode.INTERNAL

    def error(self) -> CtoError:
        """Return this failure as an error for a person."""
        return CtoError(f"{self.what}: {self.reason}", self.hint, self.exit_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """A plugin's call that did not return in ``deadline_s`` seconds; its thread is abandoned."""

    plugin: str
    what: str
    deadline_s: float

    @property
    def reason(self) -> str:
        """One line of what happened."""
        return f"did not return within {self.deadline_s:g} s"

    def error(self) -> CtoError:
        """Return this failure as an error for a person."""
        hint = f"raise its deadline in policy.toml, or report it to the author of {self.plugin!r}"
        return CtoError(f"{self.what}: {self.reason}", hint, ExitCode.INTERNAL)


@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["probe", "available"],
    *args: object,
    deadline_s: float,
) -> Probe | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["launch"],
    *args: object,
    deadline_s: float,
) -> Launch | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["collect"],
    *args: object,
    deadline_s: float,
) -> WorkerReport | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["poll"],
    *args: object,
    deadline_s: float,
) -> Progress | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["judge"],
    *args: object,
    deadline_s: float,
) -> GateResult | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["recognises"],
    *args: object,
    deadline_s: float,
) -> bool | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["read"],
    *args: object,
    deadline_s: float,
) -> DraftPlan | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["merge"],
    *args: object,
    deadline_s: float,
) -> MergeResult | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["tips"],
    *args: object,
    deadline_s: float,
) -> RoomTips | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["needs"],
    *args: object,
    deadline_s: float,
) -> RoomNeeds | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["confine"],
    *args: object,
    deadline_s: float,
) -> Confined | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["find"],
    *args: object,
    deadline_s: float,
) -> Receipt | Crashed | TimedOut | None: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["send"],
    *args: object,
    deadline_s: float,
) -> Receipt | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["good", "conflict"],
    *args: object,
    deadline_s: float,
) -> float | Crashed | TimedOut: ...
@overload
def call_contained(
    registered: Registered[Any],
    obj: object,
    method: Literal["create", "release"],
    *args: object,
    deadline_s: float,
) -> Crashed | TimedOut | None: ...


def call_contained(
    registered: Registered[Any], obj: object, method: str, *args: object, deadline_s: float
) -> object:
    """Call one contract method of a plugin's object; never raises for what the plugin does.

    :param deadline_s: seconds after which :class:`TimedOut` is returned. The thread cannot be
        killed; it is a daemon, so it does not keep the process alive.
    Returns the method's value, :class:`Crashed` (also for a value of another type) or
    :class:`TimedOut`.
    """
    what = registered.what
    value = contain(
        registered.plugin, what, lambda: getattr(obj, method)(*args), deadline_s=deadline_s
    )
    if isinstance(value, Crashed | TimedOut):
        return value
    kind, wanted = type(value), returns(type(registered.descriptor), method)
    if kind.__name__ in wanted.split(" | ") and kind.__module__ in OURS:
        return value
    reason = f"{method}() returned {kind.__name__}, not {wanted}"
    hint = defect(registered.plugin)
    return Crashed(plugin=registered.plugin, what=what, reason=reason, hint=hint)


def contain(
    plugin: str, what: str, call: Callable[[], T], *, deadline_s: float
) -> T | Crashed | TimedOut:
    """Run ``call`` in a daemon thread and return its value, or how it failed.

    Everything a plugin can raise is contained, ``SystemExit`` and ``KeyboardInterrupt`` of its own
    making included: a signal's interrupt reaches the main thread, never this one.
    """
    import threading

    outcome: list[T | Crashed] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001  # a plugin may raise anything
            outcome.append(crash(plugin, what, error))

    thread = threading.Thread(target=run, name=f"gitcto plugin {plugin}", daemon=True)
    thread.start()
    thread.join(deadline_s)
    if outcome:
        return outcome[0]
    return TimedOut(plugin=plugin, what=what, deadline_s=deadline_s)


def crash(plugin: str, what: str, error: BaseException) -> Crashed:
    """Return the value that stands for an exception a plugin raised."""
    import traceback

    from gitcto.integration_contracts import Refused

    story = "".join(traceback.format_exception(error))
    if isinstance(error, CtoError):
        return Crashed(
            plugin=plugin,
            what=what,
            reason=error.message,
            hint=error.hint,
            traceback=story,
            expected=True,
            refused=isinstance(error, Refused),
            exit_code=error.exit_code,
        )
    reason = one_line(error)
    return Crashed(plugin=plugin, what=what, reason=reason, hint=defect(plugin), traceback=story)


def one_line(error: BaseException) -> str:
    """Return an exception as one printable line of at most 300 characters."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  # even __str__ is the plugin's
        text = ""
    name = type(error).__name__
    line = f"{name}: {text}" if text else name
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:300]


def defect(plugin: str) -> str:
    """Return the hint for a failure that is the plugin's own fault."""
    return f"run `git cto plugins check {plugin}`, and report it to the plugin's author"
