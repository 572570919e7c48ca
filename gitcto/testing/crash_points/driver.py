"""Killing a flow at one of its moments, letting the next command go on, and asking for promises."""

from __future__ import annotations

import os
import shlex
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gitcto.testing.crash_points import world as worlds
from gitcto.testing.crash_points.flow import Flow, Step
from gitcto.testing.crash_points.process import (
    RECOVERED,
    Along,
    Command,
    Death,
    Ended,
    await_the_rest,
    kill_along,
    kill_the_rest,
)
from gitcto.testing.crash_points.promises import broken
from gitcto.testing.crash_points.world import World

NOBODY = Death()
"""Nobody is killed."""

_KILLED = -9
_FIRST, _NUMBERED = "t-00000", "c-{:05}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run of a flow: step ``step`` is killed at ``death``, and who does it again at ``again``.

    ``along`` is what dies with the command.
    """

    flow: str
    step: int = 0
    death: Death = NOBODY
    again: Death = NOBODY
    along: Along = Along.NONE

    def __str__(self) -> str:
        """Return the arguments that carry out this case alone."""
        words = ["--flow", self.flow, "--step", str(self.step), "--at", str(self.death)]
        words += ["--again", str(self.again)] if self.again.passing else []
        return shlex.join([*words, "--along", self.along.value])


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case.

    ``killed`` tells whether each of its deaths was come to; ``violations`` is in words. Times in
    seconds: ``recovered_s`` from the start of the command that went on until everything that was
    begun was settled or taken up, ``gone_s`` until the last process had gone.
    """

    case: Case
    killed: tuple[bool, ...]
    violations: tuple[str, ...]
    recovered_s: float = 0.0
    gone_s: float = 0.0
    again_moments: tuple[str, ...] = ()


@dataclass(slots=True)
class Stage:
    """A flow's world as it is before its steps, and how it is gone through from there."""

    flow: Flow
    place: Path
    main: Callable[[], int]
    _number: int = 0
    _template: World | None = None
    _kept: str = ""

    def prepare(self) -> None:
        """Make the world; raises ``RuntimeError`` when its beginning does not go well."""
        self.place.mkdir(parents=True, exist_ok=True)
        world = worlds.make(self.place / _FIRST, self.flow)
        for name in self.flow.clones[1:]:
            worlds.add_clone(world, name)
        for step in self.flow.before:
            self._undisturbed(world, step)
        kill_the_rest()
        if self.flow.packed:
            world.git("pack-refs", "--all")
        kept = world.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main/preserved")
        self._kept = kept.split("\n")[0].partition("/preserved/")[2]
        self._template = world

    def begin_at(self, number: int) -> None:
        """Count the directories of further runs from here: other processes use the others."""
        self._number = number

    def moments(self) -> list[tuple[str, ...]]:
        """Go through the flow once, undisturbed; return what each step came to."""
        with self._copy() as world:
            heard = []
            for step in self.flow.steps:
                ended = self._undisturbed(world, step, watched=True)
                heard.append(ended.moments)
            for step in self.flow.after:
                self._undisturbed(world, step)
            violations = self._asked(world)
            if violations:
                raise RuntimeError(f"{self.flow.name}: undisturbed, {'; '.join(violations)}")
        return heard

    def run(self, case: Case) -> Result:
        """Carry a case out. Whatever happens is a violation, never an exception."""
        with self._copy() as world:
            try:
                return self._run(world, case)
            except Exception:  # noqa: BLE001 - what the harness itself trips over must be seen
                kill_the_rest()
                return Result(case=case, killed=(), violations=(traceback.format_exc(),))

    def _run(self, world: World, case: Case) -> Result:
        violations: list[str] = []
        for step in self.flow.steps[: case.step]:
            self._undisturbed(world, step)
        step = self.flow.steps[case.step]
        died = [self._killed(world, step, case.death, case, violations)]
        if case.again.passing:
            died.append(self._killed(world, step, case.again, case, violations))
        last = self._command(world, step).run(watched=True)
        self._must_end_well(step, last, violations, again=True)
        for following in (*self.flow.steps[case.step + 1 :], *self.flow.after):
            self._must_end_well(following, self._done(world, following), violations)
        gone_s, left = await_the_rest()
        violations += [f"still alive: {command}" for command in left]
        kill_the_rest()
        violations += self._asked(world)
        return Result(
            case=case,
            killed=tuple(died),
            violations=tuple(violations),
            recovered_s=last.recovered_s if last.recovered_s is not None else last.wall_s,
            gone_s=gone_s,
            again_moments=_until_recovered(last.moments),
        )

    def _killed(
        self, world: World, step: Step, death: Death, case: Case, violations: list[str]
    ) -> bool:
        ended = self._command(world, step).run(death)
        kill_along(case.along)
        if ended.code != _KILLED:
            self._must_end_well(step, ended, violations, again=True)
        return ended.code == _KILLED

    def _asked(self, world: World) -> list[str]:
        found = broken(world, self.flow)
        for name in self.flow.clones:
            for task in self.flow.done:
                verified = self._done(world, Step(words=("evidence", "verify", task), at=name))
                if verified.code:
                    found.append(f"{name}: evidence verify {task}: {verified.said}")
        return found

    def _undisturbed(self, world: World, step: Step, *, watched: bool = False) -> Ended:
        ended = self._done(world, step, watched=watched)
        violations: list[str] = []
        self._must_end_well(step, ended, violations)
        if violations:
            raise RuntimeError(f"{self.flow.name}: undisturbed, {violations[0]}")
        return ended

    def _done(self, world: World, step: Step, *, watched: bool = False) -> Ended:
        death = Death(step.dies, 1) if step.dies else NOBODY
        return self._command(world, step).run(death, watched=watched)

    def _must_end_well(
        self, step: Step, ended: Ended, violations: list[str], *, again: bool = False
    ) -> None:
        wanted = {_KILLED} if step.always_dies else {step.code}
        if again:
            wanted |= step.again
        if ended.code not in wanted:
            said = f"`git cto {' '.join(step.words)}` ended with {ended.code}: {ended.said}"
            violations.append(said)

    def _command(self, world: World, step: Step) -> Command:
        return Command(
            main=self.main,
            words=tuple(word.replace("{kept}", self._kept) for word in step.words),
            directory=world.clone(step.at),
            environ=world.environ(step.at, step.user),
            scratch=world.root / "tmp",
            until=world.root / step.until if step.until else None,
        )

    def _copy(self) -> _Copy:
        if self._template is None:
            self.prepare()
        self._number += 1
        assert self._template is not None
        return _Copy(self._template, self.place / _NUMBERED.format(self._number))


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of a world for the time of one run."""

    template: World
    root: Path

    def __enter__(self) -> World:
        return worlds.copied(self.template, self.root)

    def __exit__(self, *_: object) -> None:
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)


def _until_recovered(moments: tuple[str, ...]) -> tuple[str, ...]:
    if RECOVERED in moments:
        return moments[: moments.index(RECOVERED) + 1]
    return moments
