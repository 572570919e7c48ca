"""One gate on one candidate: in a place of its own, contained, and with what could spoil it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import GateContext, GateResult
from gitcto.descriptors import Gate
from gitcto.effects import day_of
from gitcto.errors import CtoError
from gitcto.git.trees import patch
from gitcto.model.records import Verdict
from gitcto.policy.gates import gate_definition, gate_settings
from gitcto.policy.quarantine import in_force
from gitcto.registry import Registered
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.judged import Judged, Known
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.toolchain import DEADLINE_S as TOOLCHAIN_S
from gitcto.runtime.host.toolchain import NoToolchainError
from gitcto.runtime.proving.gate_commands import GateCommands
from gitcto.runtime.proving.gate_keys import Circumstances, result_key
from gitcto.runtime.proving.gate_trees import GatePlace, changed_files, fill, gate_place, give_back
from gitcto.runtime.worker.stopping import Stop
from gitcto.runtime.workspace.commits import message

GRACE_S = 10.0
"""What a gate plugin gets beyond its commands' deadline to say what happened (seconds)."""

IDLE_S = 30.0
"""How long a stopped command may take to be gone (seconds)."""

MOST_NAMED = 200
"""With more failed tests than this none is named: running only some again would prove nothing."""

ARTIFACT_BYTES = 32 << 20
"""The most that a gate may hand over for the evidence."""

_ARTIFACT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")
_UNWANTED = "nobody needs it any more"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRun:
    """One question: gate ``name`` on ``candidate``, with the tests in ``only`` or all.

    Who asks ``stop`` ends it, for a reason that becomes the verdict's.
    """

    context: Context
    candidate: Candidate
    name: str
    only: tuple[str, ...] = ()
    stop: Stop = field(default_factory=Stop)

    @property
    def registered(self) -> Registered[Gate] | None:
        """The gate as its plugin registered it; None when no plugin provides it."""
        return self.context.plugins.gates().get(self.context.policy.gates[self.name].plugin)

    @property
    def deadline_s(self) -> float:
        """How long its commands may take, in seconds."""
        settings, registered = self.context.policy.gates[self.name], self.registered
        default = registered.descriptor.deadline_s if registered else 0.0
        return float(settings.deadline_s or default)

    def judge(self, known: Known) -> Judged:
        """Return the verdict: a known green one for the same key, or what the gate says now.

        Never raises for what a plugin, a command or the disk does: that is ``not_run``.
        """
        began_s, key = self.context.effects.monotonic_s(), ""
        if self.stop.reason:
            return self._judged(not_run(self.stop.reason, _UNWANTED))
        registered = self.registered
        if registered is None:
            plugin = self.context.policy.gates[self.name].plugin
            return self._judged(not_run("no_plugin", f"no plugin provides the gate {plugin!r}"))
        try:
            found = self._circumstances()
            key = result_key(self.context, self.candidate, self.name, registered, found)
            if key in known and not self.only:
                return Judged(verdict=known[key], log=b"", reused=True)
            result = self._ask(registered, found)
        except NoToolchainError as error:
            result = not_run("no_toolchain", error.message)
        except (CtoError, OSError) as error:
            result = not_run("no_place", str(error))
        return self._judged(self._stopped(result), key, began_s)

    def gave_up(self) -> Judged:
        """Return the verdict of a question that does not come back."""
        return self._judged(not_run(self.stop.reason or "deadline", "it does not come to an end"))

    def _circumstances(self) -> Circumstances:
        context = self.context
        toolchain = context.policy.gates[self.name].toolchain
        day = day_of(context.effects.now_ms())
        return Circumstances(
            toolchain=self._toolchain(toolchain) if toolchain else "",
            env={name: context.environ.get(name) for name in self._variables()},
            quarantined=frozenset(one.test for one in in_force(context.policy, day)),
            only=self.only,
        )

    def _toolchain(self, argv: tuple[str, ...]) -> str:
        with gate_place(self.context) as place:
            commands = self._commands(place, TOOLCHAIN_S, files=False)
            asked = partial(commands.run, argv, TOOLCHAIN_S)
            return self.context.toolchains.digest(argv, self._env(), asked)

    def _variables(self) -> tuple[str, ...]:
        return self.context.policy.gates[self.name].env

    def _env(self) -> dict[str, str]:
        environ = self.context.environ
        return {name: environ[name] for name in self._variables() if name in environ}

    def _commands(self, place: GatePlace, deadline_s: float, *, files: bool) -> GateCommands:
        return GateCommands(
            context=self.context,
            place=place,
            env=self._env(),
            files=files,
            deadline_s=deadline_s,
            stop=self.stop,
        )

    def _ask(self, registered: Registered[Gate], found: Circumstances) -> GateResult:
        files = registered.descriptor.needs_checkout
        with gate_place(self.context) as place:
            if files:
                fill(self.context, place, self.candidate.tree)
            commands = self._commands(place, self.deadline_s, files=files)
            request = self._request(place, commands, found)
            answer: GateResult | Crashed | TimedOut = ask(
                self.context.plugins,
                registered,
                "judge",
                request,
                deadline_s=self.deadline_s + GRACE_S,
            )
            idle = self._idle(answer)
            result = _of(answer)
            if commands.ran:
                result = _spoilt(self.context, place, commands, result)
            if files and idle and not commands.doubtful and result.reason != "outside_changed":
                give_back(self.context, place, self.candidate.tree)
            return result

    def _idle(self, answer: object) -> bool:
        """Wait for the end of commands that nobody waits for any more; tell whether all are gone.

        The thread of a plugin that did not return in time goes on: nothing it starts will run.
        """
        if isinstance(answer, TimedOut):
            with suppress(OSError):
                self.stop.ask("deadline")
        return self.stop.await_idle(IDLE_S) and not isinstance(answer, TimedOut)

    def _request(
        self, place: GatePlace, commands: GateCommands, found: Circumstances
    ) -> GateContext:
        context, candidate = self.context, self.candidate
        return GateContext(
            task=candidate.task.spec,
            execution=candidate.execution.id,
            attempt=candidate.execution.attempt,
            tree=candidate.tree,
            onto=candidate.onto,
            work=candidate.execution.work,
            message=message(candidate.task.spec, candidate.execution),
            changes=candidate.changes,
            settings=gate_settings(context.policy, self.name),
            deadline_s=self.deadline_s,
            checkout=place.tree if commands.files else None,
            run=commands.run,
            change=candidate.change,
            patch=partial(patch, context.git, candidate.onto, candidate.tree),
            scratch=place.scratch,
            only=self.only,
            quarantined=found.quarantined,
        )

    def _stopped(self, result: GateResult) -> GateResult:
        reason = self.stop.reason
        if not reason or result.reason == reason:
            return result
        detail = _UNWANTED if reason == CANCELLED else "the gates took too long"
        return replace(not_run(reason, detail), log=result.log)

    def _judged(self, result: GateResult, key: str = "", began_s: float | None = None) -> Judged:
        context, candidate, registered = self.context, self.candidate, self.registered
        result, log = self._kept(result)
        about_change = registered is not None and registered.descriptor.judges == "change"
        now_s = context.effects.monotonic_s()
        named = result.failed if result.status == "fail" else ()
        verdict = Verdict(
            gate=self.name,
            status=result.status,
            reason=result.reason,
            tree=candidate.tree,
            definition=gate_definition(context.policy, self.name),
            detail=_detail(result),
            log=log,
            duration_ms=round((now_s - (now_s if began_s is None else began_s)) * 1000),
            change=candidate.change if about_change else "",
            key=key,
            executed=result.executed,
            failed=named if len(named) <= MOST_NAMED else (),
            execution=candidate.execution.id,
        )
        artifacts = dict(result.artifacts)
        return Judged(verdict=verdict, log=result.log, reused=False, artifacts=artifacts)

    def _kept(self, result: GateResult) -> tuple[GateResult, str]:
        """Write the log; a verdict whose log is lost proves nothing any more."""
        try:
            return result, self.context.objects.write_blob(result.log) if result.log else ""
        except CtoError as error:
            return not_run("no_log", f"{error.message} (it said {result.status})"), ""


CANCELLED = "cancelled"
"""The reason of a gate that was ended because nobody wants its verdict any more."""


def not_run(reason: str, detail: str) -> GateResult:
    """Return the result of a gate that could not judge; ``detail`` becomes one line."""
    return GateResult(status="not_run", reason=reason, detail=" ".join(detail.split()))


def _of(answer: GateResult | Crashed | TimedOut) -> GateResult:
    if isinstance(answer, Crashed):
        return not_run("crashed", answer.reason)
    if isinstance(answer, TimedOut):
        return not_run("deadline", answer.reason)
    names = [name for name in answer.artifacts if not _ARTIFACT.match(name)]
    size = sum(map(len, answer.artifacts.values()))
    if names or size > ARTIFACT_BYTES:
        what = f"named {names[0]!a}" if names else f"of {size} bytes"
        return replace(not_run("bad_artifact", f"the gate gave an artifact {what}"), log=answer.log)
    return answer


def _spoilt(
    context: Context, place: GatePlace, commands: GateCommands, result: GateResult
) -> GateResult:
    """Return the result, unless what was judged is not the tree, or more than it was touched."""
    said = f"(it said {result.status}: {result.reason})"
    outside = commands.changes_outside()
    if outside:
        spoilt = not_run("outside_changed", f"while it ran, {_some(outside)} {said}")
        return replace(spoilt, log=result.log)
    changed = changed_files(context, place) if commands.files else ()
    if changed:
        names = tuple(ascii(path)[1:-1] for path in changed)
        spoilt = not_run("dirty_tree", f"its command changed {_some(names)} {said}")
        return replace(spoilt, log=result.log)
    return result


def _some(parts: tuple[str, ...]) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more


def _detail(result: GateResult) -> str:
    notes = [result.detail] if result.detail else []
    if result.status == "fail" and len(result.failed) > MOST_NAMED:
        notes.append(f"{len(result.failed)} tests failed, too many to name")
    if result.ignored:
        notes.append(f"ignored, quarantined: {_some(result.ignored)}")
    return "; ".join(notes)
