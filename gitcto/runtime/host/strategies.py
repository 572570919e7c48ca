"""Finding a strategy by name: policy's own, else one of a plugin."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.plugins import Crashed, TimedOut
from gitcto.policy.strategies import StrategySettings, parse_strategy

if TYPE_CHECKING:
    from gitcto.plugins import Plugins
    from gitcto.policy.records import Policy
    from gitcto.strategies.records import Strategy

_NOTHING = StrategySettings()


def strategy_names(plugins: Plugins, policy: Policy) -> tuple[str, ...]:
    """Return the names of all strategies there are."""
    own = (name for name, settings in policy.strategies.items() if settings.own is not None)
    return tuple(sorted({*own, *plugins.strategies()}))


def strategy_of(plugins: Plugins, policy: Policy, name: str) -> Strategy:
    """Return a strategy as policy wants it. Raises ``CtoError`` when there is none that can run."""
    settings = policy.strategies.get(name, _NOTHING)
    strategy = settings.own or _offered(plugins, policy, name)
    strangers = settings.strangers(strategy)
    if strangers:
        raise CtoError(
            f"strategy {name!r} has no role {strangers[0]!r}",
            f"name one of {', '.join(strategy.filled)} in [strategies.{name}]",
            ExitCode.POLICY,
        )
    return settings.over(strategy)


def _offered(plugins: Plugins, policy: Policy, name: str) -> Strategy:
    registered = plugins.strategies().get(name)
    if registered is None:
        known = strategy_names(plugins, policy)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
        raise CtoError(f"there is no strategy {name!r}", hint, ExitCode.POLICY)
    text = plugins.instantiate(registered)
    if isinstance(text, Crashed | TimedOut):
        raise text.error()
    return parse_strategy(text, name, f"{name}.toml of plugin {registered.plugin}")
