"""A team of many tasks, and a provider beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.model.commands import Lease, Refusal
from gitcto.model.records import Decision, OutsideEffect, TaskSpec
from gitcto.runtime.delivery.effect_orders import Order, key_of
from gitcto.runtime.delivery.outside_effects import carry_out, settle_open
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context
from gitcto.testing.kills import killed_at
from gitcto.testing.site import PluginSite
from tests.runtime.outside_effects.client import talk
from tests.runtime.outside_effects.provider import TOKEN
from tests.runtime.team.conftest import TeamRepo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitcto.integration_contracts import Receipt
    from gitcto.plugins import Plugins
    from gitcto.runtime.host.context import Context

_HOOKS = """
from gitcto.api import Integration, hookimpl

@hookimpl
def gitcto_register_integrations(register):
    for name, lookup, lag in (("exact", "exact", 0), ("none", "none", 0), ("late", "exact", 3)):
        register.add(
            Integration(
                name=name,
                summary="A fake.",
                target="tests.runtime.outside_effects.client:Client",
                effects=("note",),
                lookup=lookup,
                lag_s=lag,
            )
        )
"""

TASKS = 120


@dataclass
class Provider:
    """The provider's process, to be told and asked."""

    port: int

    def script(self, key: str, *answers: str) -> None:
        """Tell how to answer the next sendings of a key; after them it answers well."""
        talk(self.port, "POST", "/script", {"key": key, "answers": answers})

    def clock(self, **values: float) -> None:
        talk(self.port, "POST", "/clock", values)

    def silence(self, *, on: bool) -> None:
        """Let look-ups get no answer, or answer those that wait."""
        talk(self.port, "POST", "/silence", {"on": on})

    def done(self, key: str) -> list[dict[str, Any]]:
        """Return what was really done under a key."""
        log = talk(self.port, "GET", "/log")[1]
        return [each for each in log["done"] if each["key"] == key]

    def received(self, key: str) -> int:
        """Return how many sendings of a key arrived."""
        received: list[str] = talk(self.port, "GET", "/log")[1]["received"]
        return received.count(key)


@dataclass
class Staged(SystemEffects):
    """The real world, but for what happens at named points and how time goes by."""

    at: dict[str, Callable[[], object]] = field(default_factory=dict)
    later_ms: int = 0
    paused: Callable[[float], object] = lambda _: None

    def now_ms(self) -> int:
        return super().now_ms() + self.later_ms

    def pause(self, seconds: float) -> None:
        self.paused(seconds)

    def crash_point(self, name: str) -> None:
        self.at.get(name, lambda: None)()


@dataclass
class World:
    """The team, its provider, and tasks of which each test takes the next."""

    repo: TeamRepo
    provider: Provider
    plugins: Plugins
    taken: int = 0
    effects: Staged = field(default_factory=Staged)

    @contextmanager
    def context(self, clone: str = "") -> Iterator[Context]:
        request = replace(self.repo.request(), plugins=self.plugins, effects=self.effects)
        made = make_context(request, Layout(request.repository, "main", request.rooms_root))
        with made.ledger:
            yield replace(made, clone=clone or made.clone)

    def order(self, integration: str) -> Order:
        """Return an order about a task that has none yet."""
        self.taken += 1
        task = f"T{self.taken}"
        return Order(
            effect="note", integration=integration, task=task, epoch=0, commit="c0ffee", title=task
        )

    def key(self, order: Order) -> str:
        with self.repo.ledger() as ledger:
            return key_of(ledger, order.task, order.effect, order.commit)

    def ask(self, order: Order) -> Receipt:
        with self.context() as context:
            return carry_out(context, order)

    def recover(self, order: Order) -> list[str]:
        """Do what the start of a run does about one task."""
        with self.context() as context:
            task = context.ledger.view().task(order.task)
            assert task is not None
            return settle_open(context, [task])

    def dies(self, action: Callable[[], object], point: str, passing: int = 1) -> bool:
        """Do something in a process that is killed when it passes a point; tell whether it was."""
        left = [passing]

        def pass_by() -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        self.effects = Staged(at={point: pass_by})
        try:
            return killed_at(sys.maxsize, action)
        finally:
            self.effects = Staged()

    def held(self, order: Order) -> OutsideEffect | None:
        with self.repo.ledger() as ledger:
            task = ledger.view().task(order.task)
            assert task is not None
            return task.effects.get(self.key(order))

    def state(self, order: Order) -> str:
        held = self.held(order)
        return held.state if held else ""

    def kinds(self, order: Order) -> list[str]:
        with self.repo.ledger() as ledger:
            events = [stored.event.kind for stored in ledger.events(task=order.task)]
        return [kind for kind in events if kind.startswith("effect.")]

    def lease(self, order: Order) -> None:
        """Let somebody else claim the task: the fencing token grows."""
        decision = Decision(
            action="dispatch",
            resource="",
            subject="",
            rule="",
            policy="",
            inputs={},
            verdict="allow",
            reason="",
        )
        with self.repo.ledger() as ledger:
            answer = ledger.transact(
                Lease(
                    task=order.task,
                    execution=SystemEffects().new_id(),
                    base="b" * 40,
                    provider="scripted",
                    role="developer",
                    workspace="clone",
                    holder="somebody@else/x/y",
                    expires_ms=1 << 50,
                    max_workers=6,
                    decision=decision,
                )
            )
        assert not isinstance(answer, Refusal), answer


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    program = Path(__file__).with_name("provider.py")
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Provider(int(process.stdout.readline()))


@pytest.fixture(scope="module")
def team(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("effects")
    repo = TeamRepo.make(root)
    repo.environ |= {"FAKE_PORT": str(provider.port), "FAKE_TOKEN": TOKEN}
    repo.plan(*(TaskSpec(id=f"T{n}", title=f"do {n}") for n in range(1, TASKS + 1)))
    site = PluginSite(root / "site").add("fake-provider", fake=_HOOKS)
    sys.path.insert(0, str(site.path))
    try:
        yield World(repo, provider, site.load())
    finally:
        sys.path.remove(str(site.path))
        site.forget()


@pytest.fixture
def world(team: World) -> World:
    team.effects = Staged()
    team.provider.clock(lag=0)
    return team
