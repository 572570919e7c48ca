"""The whole suite in one sandbox: the positive control, then every attack in its own world."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gitcto.errors import CtoError, ExitCode
from gitcto.escape.building import build, fresh, uncover
from gitcto.escape.catalogue import ATTACKS, CONTROL, RANK, Attack, Outcome
from gitcto.escape.enacted import Enacted
from gitcto.escape.naive import Naive
from gitcto.escape.stage import landlock_abi
from gitcto.escape.trial import Tried, attack
from gitcto.git.durable import discard
from gitcto.plugins import Plugins
from gitcto.runtime.host.isolation import Isolation
from gitcto.runtime.host.probing import choose_sandbox

_CONTROL = Attack(
    name=CONTROL,
    group="",
    summary="Do what a worker is there for",
    held="core",
    noticed=False,
    room="clone",
    needs=(),
    abi=0,
    network=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one attack in one sandbox; ``found`` is what came through.

    ``expected`` is None where nothing is promised.
    """

    attack: Attack
    outcome: Outcome | Literal["skipped"]
    expected: Outcome | None
    found: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def broken(self) -> bool:
        """Tell whether this is worse than the level promises."""
        if self.outcome == "skipped" or self.expected is None:
            return False
        return RANK[self.outcome] > RANK[self.expected]

    @property
    def surprising(self) -> bool:
        """Tell whether this is another outcome than the table has, be it better or worse."""
        return self.outcome not in {"skipped", self.expected} and self.expected is not None


class Suite:
    """One directory for worlds, one world at a time. Two suites may run side by side."""

    def __init__(self, place: Path, plugins: Plugins, environ: Mapping[str, str]) -> None:
        self._place = place
        self._plugins = plugins
        self._environ = environ
        self._template = place / "template"
        self._world = build(place / "w", environ.get("PATH", ""))
        shutil.copytree(self._world.root, self._template, symlinks=True)
        self._count = 0

    def isolation(self, sandbox: str) -> Isolation:
        """Return a sandbox that proved itself as before a run. Raises ``CtoError``."""
        chosen, _ = choose_sandbox(self._plugins, (sandbox,), self._place / "probe", self._environ)
        return chosen

    def run(
        self, isolation: Isolation | None, attacks: Sequence[Attack] = ATTACKS
    ) -> Iterator[Result]:
        """Yield what comes of each attack in a sandbox, or without one the naive way.

        The positive control comes first. Raises ``CtoError`` when it fails.
        """
        self.control(isolation)
        for each in attacks:
            yield self._result(isolation, each, self._try(isolation, each))

    def control(self, isolation: Isolation | None) -> None:
        """Let a harmless worker do its work in both kinds of rooms. Raises ``CtoError``."""
        for room in ("clone", "worktree"):
            tried = self._try(isolation, replace(_CONTROL, room=room))
            if tried.found:
                raise CtoError(
                    f"a harmless worker looks like an attacker: {'; '.join(tried.found)}",
                    "this is a bug of git-cto; please report it",
                    ExitCode.INTERNAL,
                )

    def _try(self, isolation: Isolation | None, each: Attack) -> Tried:
        fresh(self._world, self._template)
        self._count += 1
        nonce = f"escape-{os.getpid()}-{self._count}"
        try:
            if isolation is None:
                return attack(self._world, Naive(self._world, each.room), each, nonce)
            way = Enacted(
                self._world, self._plugins, isolation, room=each.room, network=each.network
            )
            with way:
                return attack(self._world, way, each, nonce)
        finally:
            uncover(self._world)

    def _result(self, isolation: Isolation | None, each: Attack, tried: Tried) -> Result:
        level = isolation.level if isolation else None
        expected = each.expected(level, landlock_abi()) if level else None
        outcome: Outcome | Literal["skipped"] = "stopped"
        if tried.skipped:
            outcome = "skipped"
        elif tried.found:
            outcome = "noticed" if tried.noticed and level != "none" else "open"
        return Result(
            attack=each,
            outcome=outcome,
            expected=expected,
            found=tried.found,
            skipped=tried.skipped,
        )


@contextmanager
def suite(place: Path, plugins: Plugins, environ: Mapping[str, str]) -> Iterator[Suite]:
    """Have a suite in a new directory below ``place``, which is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="cto-escape-", dir=place)).resolve()
    try:
        yield Suite(made, plugins, environ)
    finally:
        discard(made)
