"""Finding a strategy by name: policy's own, else one of a plugin."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.plugins import Crashed, TimedOut
from gitcto.policy.strategies import StrategySettings, parse_strategy

if TYPE_CHECKING:
    from gitcto.descriptors import StrategyFile
    from gitcto.plugins import Plugins
    from gitcto.policy.records import Policy
    from gitcto.registry import Registered
    from gitcto.strategies.records import Strategy

_NOTHING = StrategySettings()


def strategy_names(plugins: Plugins, policy: Policy) -> tuple[str, ...]:
    """Return the names of all strategies there are."""
    own = (name for name, settings in policy.strategies.items() if settings.own is not None)
    return tuple(sorted({*own, *plugins.strategies()}))


def strategy_of(plugins: Plugins, policy: Policy, name: str) -> Strategy:
    """Return a strategy as policy wants it. Raises ``CtoError`` when there is none that can run."""
    own = policy.strategies.get(name, _NOTHING).own
    if own is not None:
        return as_wanted(policy, replace(own, file=policy.digest))
    registered = _registered(plugins, policy, name)
    where = f"{name}.toml of plugin {registered.plugin}"
    return as_wanted(policy, parse_strategy(_read(plugins, registered), name, where))


def text_of(plugins: Plugins, policy: Policy, name: str) -> bytes:
    """Return a strategy's own file, empty for one of policy's own. Raises ``CtoError``."""
    if policy.strategies.get(name, _NOTHING).own is not None:
        return b""
    return _read(plugins, _registered(plugins, policy, name))


def as_wanted(policy: Policy, strategy: Strategy) -> Strategy:
    """Return a strategy with policy's words and providers. Raises ``CtoError``."""
    settings = policy.strategies.get(strategy.name, _NOTHING)
    strangers = settings.strangers(strategy)
    if strangers:
        raise CtoError(
            f"strategy {strategy.name!r} has no role {strangers[0]!r}",
            f"name one of {', '.join(strategy.filled)} in [strategies.{strategy.name}]",
            ExitCode.POLICY,
        )
    return settings.over(strategy)


def _registered(plugins: Plugins, policy: Policy, name: str) -> Registered[StrategyFile]:
    registered = plugins.strategies().get(name)
    if registered is None:
        known = strategy_names(plugins, policy)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
        raise CtoError(f"there is no strategy {name!r}", hint, ExitCode.POLICY)
    return registered


def _read(plugins: Plugins, registered: Registered[StrategyFile]) -> bytes:
    text: bytes | Crashed | TimedOut = plugins.instantiate(registered)
    if isinstance(text, Crashed | TimedOut):
        raise text.error()
    return text
