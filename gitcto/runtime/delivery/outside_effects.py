"""Doing something outside once, however often it is asked for, killed or answered by nobody.

The intent is recorded with all that is to be sent; the integration is asked for what carries the
key; it is sent; the receipt is recorded. One sender at a time in a clone, one clone at a time in a
team; and whoever was fenced meanwhile does not send. What cannot be looked up is sent at most once:
when its answer was lost, a person is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NoReturn

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError, ExitCode
from gitcto.git.lock import exclusive
from gitcto.git.remote import open_remote
from gitcto.integration_contracts import EffectRequest, Receipt
from gitcto.model.commands import Command, Refusal
from gitcto.model.effect_commands import ConfirmEffect, DoubtEffect, IntendEffect, RefuseEffect
from gitcto.model.records import OutsideEffect, Task
from gitcto.registry import Registered
from gitcto.runtime.delivery.effect_orders import Order, key_of, order_path, recorded_order
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context

ASK_DEADLINE_S = 75.0
"""How long an integration may take to look something up (seconds)."""

SEND_DEADLINE_S = 660.0
"""How long an integration may take to send (seconds)."""

START_DEADLINE_S = 10.0
"""The same while a run begins, which is not to wait long for who does not answer (seconds)."""

HOLD_MS = 1_800_000
"""How long no other clone sends what one intended (milliseconds): several calls, and then some."""

_LONGEST = 1000


def carry_out(context: Context, order: Order, ask_s: float = ASK_DEADLINE_S) -> Receipt:
    """Do what is ordered unless it is done already, and return its receipt.

    Raises ``CtoError``: when it was not done, when nobody knows, or when somebody else is at it.
    Asking again is always safe: it looks first, and does not send what cannot be looked up.
    ``ask_s`` is how long a look-up may take (seconds).
    """
    registered = _integration(context, order)
    with exclusive(context.repository.cto_dir / "effects.lock"):
        return _Sending(context, registered, order, ask_s).settle()


def settle_open(
    context: Context, tasks: Iterable[Task], ask_s: float = START_DEADLINE_S
) -> list[str]:
    """Bring what was intended and never finished to its end; return what there is to say."""
    told = []
    for task in tasks:
        for held in task.effects.values():
            if held.state != "intended" or _elsewhere(context, held):
                continue
            what = f"{task.spec.id}: {held.effect}"
            try:
                order = recorded_order(context.objects, context.ledger, task.spec.id, held.key)
                receipt = carry_out(context, order, ask_s)
            except CtoError as error:
                told.append(f"{what}: {error.message}; {error.hint}")
            else:
                told.append(f"{what}: {receipt.url}")
    return told


def _elsewhere(context: Context, held: OutsideEffect) -> bool:
    return held.sender != context.clone and context.effects.now_ms() < held.until_ms


class _Sending:
    """One order on its way, under the lock."""

    def __init__(
        self, context: Context, registered: Registered[Any], order: Order, ask_s: float
    ) -> None:
        self._context = context
        self._registered = registered
        self._order = order
        self._ask_s = ask_s
        self._key = key_of(context.ledger, order.task, order.effect, order.commit)
        self._exact = registered.descriptor.lookup == "exact"

    def settle(self) -> Receipt:
        """Follow the order to its receipt."""
        held = self._held()
        if held is not None and held.state == "confirmed":
            return Receipt(url=held.url, id=held.id)
        before = held is not None and held.state == "intended"
        if before and not self._exact:
            self._doubt("it was about to be sent when git-cto was killed or gave up")
        if before:
            found = self._found(after_sending=True)
            if found is not None:
                return found
        self._intend(before)
        self._context.effects.crash_point("effect.intended")
        if self._exact and not before:
            found = self._found(after_sending=False)
            if found is not None:
                return found
        self._must_be_current()
        return self._send()

    def _send(self) -> Receipt:
        answer = self._ask("send", SEND_DEADLINE_S)
        self._context.effects.crash_point("effect.sent")
        if isinstance(answer, Receipt):
            return self._confirmed(answer, "created")
        definite = isinstance(answer, Crashed) and answer.refused
        if self._exact:
            # Another clone may have been faster, or the answer alone was lost.
            found = self._found(after_sending=not definite)
            if found is not None:
                return found
        if definite:
            self._record(self._refusal(answer.reason))
        elif not self._exact:
            self._doubt(answer.reason)
        raise answer.error()

    def _found(self, *, after_sending: bool) -> Receipt | None:
        """Look the key up; what may just have been sent again, once the look-up must know."""
        answer = self._ask("find", self._ask_s)
        lag_s = self._registered.descriptor.lag_s
        if answer is None and after_sending and lag_s > 0:
            self._context.effects.pause(lag_s)
            answer = self._ask("find", self._ask_s)
        if isinstance(answer, Crashed | TimedOut):
            raise answer.error()
        return None if answer is None else self._confirmed(answer, "adopted")

    def _must_be_current(self) -> None:
        """Refuse to send unless, as the ledger stands now, it is still ours to send."""
        context, order = self._context, self._order
        if context.shared is not None:
            context.shared.look()
        task, held = context.ledger.view().task(order.task), self._held()
        ours = (
            held is not None
            and held.state == "intended"
            and (held.sender, held.epoch) == (context.clone, order.epoch)
            and context.effects.now_ms() < held.until_ms
        )
        if not ours or task is None or task.epoch != order.epoch:
            raise CtoError(
                f"the {order.effect} of {order.task} was not sent: it is no longer this run's",
                f"`git cto show {order.task}` says how things stand",
            )

    def _intend(self, before: bool) -> None:  # noqa: FBT001
        order, context = self._order, self._context
        data = order.encode()
        intent = IntendEffect(
            task=order.task,
            key=self._key,
            effect=order.effect,
            integration=order.integration,
            digest=hashlib.sha256(data).hexdigest(),
            epoch=order.epoch,
            sender=context.clone,
            until_ms=context.effects.now_ms() + HOLD_MS,
        )
        attachments = {order_path(self._key): context.objects.write_blob(data)}
        answer = context.ledger.transact(intent, attachments)
        if not isinstance(answer, Refusal):
            return
        if answer.code == "effect_unclear":
            raise self._waits_for_a_person()
        if answer.code == "fenced" and before:
            self._record(self._refusal(answer.detail))
        raise CtoError(answer.detail, f"`git cto show {order.task}` says how things stand")

    def _doubt(self, why: str) -> NoReturn:
        self._record(DoubtEffect(task=self._order.task, key=self._key, why=_line(why)))
        raise self._waits_for_a_person()

    def _waits_for_a_person(self) -> CtoError:
        order = self._order
        return CtoError(
            f"nobody knows whether the {order.effect} of {order.task} was sent to "
            f"{order.integration}, and it cannot be looked up",
            f"look there, then say `git cto effects resolve {self._key[:12]} --done URL` "
            "or `--not-done`",
        )

    def _refusal(self, why: str) -> RefuseEffect:
        return RefuseEffect(task=self._order.task, key=self._key, why=_line(why))

    def _confirmed(self, receipt: Receipt, how: Any) -> Receipt:
        clean = Receipt(url=_line(receipt.url), id=_line(receipt.id))
        self._record(
            ConfirmEffect(task=self._order.task, key=self._key, how=how, url=clean.url, id=clean.id)
        )
        self._context.effects.crash_point("effect.confirmed")
        return clean

    def _record(self, command: Command) -> None:
        answer = self._context.ledger.transact(command)
        if isinstance(answer, Refusal):
            raise CtoError(answer.detail, "`git cto status` shows how things stand")

    def _held(self) -> OutsideEffect | None:
        task = self._context.ledger.view().task(self._order.task)
        return task.effects.get(self._key) if task else None

    def _ask(self, method: str, deadline_s: float) -> Any:
        context, order = self._context, self._order
        name = context.policy.remote.name
        request = EffectRequest(
            key=self._key,
            effect=order.effect,
            task=order.task,
            commit=order.commit,
            title=order.title,
            body=order.body,
            facts=order.facts,
            git=context.git,
            remote=open_remote(context.repository, name, context.environ) if name else None,
            host_env=context.environ,
        )
        return ask(context.plugins, self._registered, method, request, deadline_s=deadline_s)


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:_LONGEST]


def _integration(context: Context, order: Order) -> Registered[Any]:
    registered = context.plugins.integrations().get(order.integration)
    if registered is None:
        raise CtoError(
            f"no installed plugin provides the integration {order.integration!r}",
            "install the plugin, or name another in policy.toml; `git cto plugins` lists them",
            ExitCode.PLUGIN_MISSING,
        )
    if order.effect not in registered.descriptor.effects:
        raise CtoError(
            f"{registered.what} does no {order.effect}",
            f"name another in policy.toml; it does {', '.join(registered.descriptor.effects)}",
            ExitCode.POLICY,
        )
    return registered
