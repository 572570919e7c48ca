"""Finding, loading and calling plugins: the core knows capabilities by name, never by import.

A plugin's ``hooks`` module is imported when plugins are loaded; each kind of capability is
collected when it is first asked for, and a target is imported when it must work.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gitcto.containment import Crashed, TimedOut, call_contained, contain, one_line
from gitcto.effects import SystemEffects
from gitcto.entrypoints import Source, scan
from gitcto.errors import CtoError, ExitCode
from gitcto.loading import Loaded, construct, load_one, new_manager, tell
from gitcto.registry import KINDS, Offers, PluginRow, Registered, resolve
from gitcto.versions import within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pluggy

    from gitcto.descriptors import (
        CommandPoint,
        Gate,
        Integration,
        MergeResolver,
        Planner,
        Predictor,
        Provider,
        Sandbox,
        StrategyFile,
        Workspace,
    )
    from gitcto.effects import Effects
    from gitcto.model.codec import Event
    from gitcto.plugin_check import Finding

__all__ = ["Crashed", "PluginRow", "Plugins", "Registered", "TimedOut", "call_contained"]

IMPORT_DEADLINE_S = 60.0
"""How long importing and constructing a target may take, in seconds."""

NOTIFY_DEADLINE_S = 10.0
"""How long a notification may take, in seconds; a plugin that exceeds it is told no more."""


def _silent(_line: str) -> None:
    return


@dataclass(slots=True)
class Plugins:
    """The installed plugins. Make it with :meth:`load`."""

    _manager: pluggy.PluginManager
    _loaded: list[Loaded]
    _warn: Callable[[str], None]
    _kinds: dict[str, Mapping[str, Registered[Any]]] = field(default_factory=dict)
    _muted: set[str] = field(default_factory=set)

    @classmethod
    def load(
        cls,
        search_path: Sequence[str] | None = None,
        *,
        warn: Callable[[str], None] = _silent,
        effects: Effects | None = None,
    ) -> Plugins:
        """Find the plugins on a search path and import their ``hooks`` modules.

        :param search_path: folders as in ``sys.path``, which is also the default.
        :param warn: told one line for each plugin that fails, now or later.
        Never raises for what a plugin does: it fails, is reported, and the others go on.
        """
        clock = effects or SystemEffects()
        sources = scan(sys.path if search_path is None else search_path)
        plugins = cls(new_manager(), [Loaded(source) for source in sources], warn)
        for loaded in plugins._loaded:
            began = clock.monotonic_s()
            plugins._load_one(loaded)
            loaded.load_ms = (clock.monotonic_s() - began) * 1000
        return plugins

    def _load_one(self, loaded: Loaded) -> None:
        source = loaded.source
        twins = [
            str(other.source)
            for other in self._loaded
            if other is not loaded and other.source.plugin == source.plugin
        ]
        if twins and not source.first_party:
            self._fail(loaded, f"the name is also used by {', '.join(twins)}; uninstall one")
            return
        try:
            loaded.module, reason = load_one(self._manager, source)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
            reason = one_line(error)
        if reason:
            self._fail(loaded, reason)

    def _fail(self, loaded: Loaded, reason: str) -> None:
        if not loaded.reason:
            loaded.reason = reason
            self._warn(f"plugin {loaded.source} failed: {reason}")

    def commands(self) -> Mapping[str, Registered[CommandPoint]]:
        """Return the subcommands plugins add, by name."""
        return self._collect("commands")

    def providers(self) -> Mapping[str, Registered[Provider]]:
        """Return the ways to start a worker, by name."""
        return self._collect("providers")

    def workspaces(self) -> Mapping[str, Registered[Workspace]]:
        """Return the ways to make a worker's room, by name."""
        return self._collect("workspaces")

    def sandboxes(self) -> Mapping[str, Registered[Sandbox]]:
        """Return the ways to keep a worker in its room, by name."""
        return self._collect("sandboxes")

    def gates(self) -> Mapping[str, Registered[Gate]]:
        """Return the judges of changes, by name."""
        return self._collect("gates")

    def planners(self) -> Mapping[str, Registered[Planner]]:
        """Return the plan formats, by name."""
        return self._collect("planners")

    def merge_resolvers(self) -> Mapping[str, Registered[MergeResolver]]:
        """Return the ways to merge two trees, by name, the lowest rank first."""
        return self._collect("merge_resolvers")

    def predictors(self) -> Mapping[str, Registered[Predictor]]:
        """Return the ways to guess which changes are good, by name."""
        return self._collect("predictors")

    def strategies(self) -> Mapping[str, Registered[StrategyFile]]:
        """Return the strategies, by name."""
        return self._collect("strategies")

    def integrations(self) -> Mapping[str, Registered[Integration]]:
        """Return the places where things are done outside, by name."""
        return self._collect("integrations")

    def _collect(self, kind_name: str) -> Mapping[str, Registered[Any]]:
        if kind_name in self._kinds:
            return self._kinds[kind_name]
        kind = KINDS[kind_name]
        offered: list[tuple[Source, Offers]] = []
        for loaded in self._loaded:
            offers = Offers(kind)
            if loaded.module is not None and self._asked(loaded, offers):
                offered.append((loaded.source, offers))
        winners, refused = resolve(kind, offered)
        for loaded in self._loaded:
            for source, reason in refused:
                if source is loaded.source:
                    self._fail(loaded, reason)
        ranked = sorted(
            winners.items(), key=lambda item: (getattr(item[1].descriptor, "rank", 0), item[0])
        )
        self._kinds[kind_name] = MappingProxyType(dict(ranked))
        return self._kinds[kind_name]

    def _asked(self, loaded: Loaded, offers: Offers) -> bool:
        for impl in getattr(self._manager.hook, offers.kind.hook).get_hookimpls():
            if impl.plugin is not loaded.module:
                continue
            try:
                impl.function(*(offers for _ in impl.argnames))
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may raise anything
                self._fail(loaded, f"{offers.kind.hook}: {one_line(error)}")
                return False
        return True

    def require(self, required: Mapping[str, str]) -> None:
        """Refuse to go on unless each named plugin is active at a version in its range.

        :param required: ranges (``>=0.1,<2``; empty for any version) by plugin name.
        Raises ``CtoError`` with exit code 5 (4 for a range that cannot be read), naming the plugin,
        the reason and the fix. Nothing in the environment switches this off.
        """
        self._collect_all()
        for name, wanted in sorted(required.items()):
            self._require_one(name, wanted)

    def _require_one(self, name: str, wanted: str) -> None:
        what = f"required plugin {name!r}"
        loaded = next((each for each in self._loaded if each.source.plugin == name), None)
        if loaded is None:
            hint = "install it beside git-cto, or take it out of [plugins] in policy.toml"
            raise CtoError(f"{what} is not installed", hint, ExitCode.PLUGIN_MISSING)
        if loaded.reason:
            hint = f"run `git cto plugins check {name}`; reinstall the plugin or fix what it names"
            raise CtoError(f"{what} failed: {loaded.reason}", hint, ExitCode.PLUGIN_MISSING)
        version, distribution = loaded.source.version, loaded.source.distribution
        try:
            fits = within(version, wanted)
        except ValueError as error:
            hint = f"write the range for {name!r} in policy.toml like `>=0.1,<2`"
            raise CtoError(f"{what}: {error}", hint, ExitCode.POLICY) from error
        if not fits:
            message = f"{what} is {distribution} {version}, and policy.toml wants {wanted}"
            hint = f"install {distribution} in that range, or change the range in policy.toml"
            raise CtoError(message, hint, ExitCode.PLUGIN_MISSING)

    def _named(self, name: str) -> Loaded | None:
        return next((each for each in self._loaded if each.source.plugin == name), None)

    def _collect_all(self) -> None:
        for kind_name in KINDS:
            self._collect(kind_name)

    def instantiate(self, registered: Registered[Any]) -> Any:
        """Import a target and construct it (a command's target is returned as it is).

        Returns what fulfils the contract of its kind, :class:`Crashed` or :class:`TimedOut`.

        Never raises for what a plugin does: the failure is returned, :class:`Crashed` also when
        the object lacks a method of its contract.
        """
        return contain(
            registered.plugin,
            registered.what,
            partial(construct, registered.descriptor),
            deadline_s=IMPORT_DEADLINE_S,
        )

    def report(self) -> list[PluginRow]:
        """Return what is installed, first-party plugins first; collects every kind."""
        self._collect_all()
        found: dict[str, list[str]] = {}
        for name, kind in KINDS.items():
            for registered in self._kinds[name].values():
                found.setdefault(registered.plugin, []).append(f"{kind.singular} {registered.name}")
        return [
            PluginRow(
                name=loaded.source.plugin,
                distribution=loaded.source.distribution,
                version=loaded.source.version,
                source="first-party" if loaded.source.first_party else "third-party",
                status="failed" if loaded.reason else "active",
                reason=loaded.reason,
                provides=tuple(found.get(loaded.source.plugin, ())) if loaded.module else (),
                load_ms=loaded.load_ms,
            )
            for loaded in self._loaded
        ]

    def check(self, name: str) -> tuple[Finding, ...]:
        """Return what is wrong with a plugin, by rule; raises ``CtoError`` for an unknown name."""
        from gitcto.plugin_check import check

        loaded = self._named(name)
        if loaded is None:
            hint = "`git cto plugins` lists what is installed"
            raise CtoError(f"plugin {name!r} is not installed", hint, ExitCode.USAGE)
        self._collect_all()
        return check(loaded.source, loaded.reason)

    def notify(self, event: Event, *, team: str, seq: int, state_root: Path) -> None:
        """Tell plugins of an event that is durable; their answers and failures change nothing.

        :param state_root: each plugin gets its own directory below, made on demand.
        """
        for impl in reversed(self._manager.hook.gitcto_on_event.get_hookimpls()):
            plugin = impl.plugin_name
            if plugin in self._muted:
                continue
            outcome = contain(
                plugin,
                f"gitcto_on_event of plugin {plugin!r}",
                partial(tell, impl, event, team, seq, state_root / plugin),
                deadline_s=NOTIFY_DEADLINE_S,
            )
            if outcome is not None:
                self._muted.add(plugin)
                self._warn(f"{outcome.what}: {outcome.reason}; it is told no more events")
