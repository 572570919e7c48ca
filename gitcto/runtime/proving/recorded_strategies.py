"""Strategies as attempts began with them: an attempt goes on by the text that was there then.

A plugin's file lies in the tree of each lease that cites it, so that the steps of an attempt can be
derived again when the plugin says something else, or is gone. A strategy of policy's own lies in
the policy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.objects import Commit, Objects
from gitcto.model.events import ExecutionLeased
from gitcto.policy.strategies import parse_strategy
from gitcto.runtime.host.strategies import as_wanted, strategy_of, text_of
from gitcto.runtime.proving.adopted import adopted_policy
from gitcto.store import bundle

if TYPE_CHECKING:
    from gitcto.runtime.host.context import Context
    from gitcto.store.reader import LedgerReader
    from gitcto.strategies.records import Strategy

STRATEGY_FILE = "strategy.toml"
"""Where a transaction that leases a task keeps its strategy's bytes."""


def recorded_strategy(
    objects: Objects, ledger: LedgerReader, name: str, file: str
) -> Strategy | str:
    """Return the strategy that the file with this digest says, or why it cannot be had."""
    policy = adopted_policy(objects, ledger, file)
    if not isinstance(policy, str):
        settings = policy.strategies.get(name)
        if settings is None or settings.own is None:
            return f"policy {file[:12]} has no strategy {name} of its own"
        return replace(settings.own, file=file)
    text = _text(objects, ledger, file)
    if text is None:
        return f"the ledger holds no file {file[:12]} of strategy {name}"
    try:
        return parse_strategy(text, name, STRATEGY_FILE)
    except CtoError as error:
        return error.message


def _text(objects: Objects, ledger: LedgerReader, file: str) -> bytes | None:
    for stored in ledger.events(newest_first=True):
        body = stored.event.body
        if not isinstance(body, ExecutionLeased) or body.strategy_file != file:
            continue
        try:
            _, raw = objects.read(stored.commit)
            text = bundle.read_file(objects, Commit.decode(raw).tree, STRATEGY_FILE)
        except (CtoError, ValueError):
            continue
        if hashlib.sha256(text).hexdigest() == file:
            return text
    return None


class Shelf:
    """The strategies of one run, each read once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._now: dict[str, Strategy] = {}
        self._then: dict[tuple[str, str], Strategy | str] = {}
        self._texts: dict[str, Mapping[str, str]] = {}

    def strategy(self, name: str, file: str = "") -> Strategy:
        """Return a strategy as policy wants it; raises ``CtoError`` for none of that name.

        With ``file``, as that file says it. One that the ledger lost is the present one, and
        nobody can prove then why its steps were taken.
        """
        found = self._recorded(name, file) if file else ""
        return self._present(name) if isinstance(found, str) else found

    def text(self, name: str) -> Mapping[str, str]:
        """Store a plugin's file and return it as an attachment; nothing for policy's own."""
        if name not in self._texts:
            context = self._context
            text = text_of(context.plugins, context.policy, name)
            blob = {STRATEGY_FILE: context.objects.write_blob(text)} if text else {}
            self._texts[name] = blob
        return self._texts[name]

    def _present(self, name: str) -> Strategy:
        if name not in self._now:
            self._now[name] = strategy_of(self._context.plugins, self._context.policy, name)
        return self._now[name]

    def _recorded(self, name: str, file: str) -> Strategy | str:
        if (name, file) not in self._then:
            self._then[name, file] = self._read(name, file)
        return self._then[name, file]

    def _read(self, name: str, file: str) -> Strategy | str:
        context = self._context
        try:
            present = self._present(name)
            if present.file == file:
                return present
        except CtoError:
            pass  # its plugin is gone: the ledger has it
        then = recorded_strategy(context.objects, context.ledger, name, file)
        return then if isinstance(then, str) else as_wanted(context.policy, then)
