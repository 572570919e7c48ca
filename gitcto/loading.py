"""Importing one plugin's modules, judging its hooks and calling them. Raises what it raises."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import pluggy

from gitcto import hookspecs
from gitcto.descriptors import CommandPoint, Descriptor, StrategyFile
from gitcto.model.ids import is_name
from gitcto.registry import kind_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from gitcto.entrypoints import Source
    from gitcto.model.codec import Event


@dataclass(slots=True)
class Loaded:
    """A plugin's state in this process; a ``reason`` means it failed."""

    source: Source
    module: ModuleType | None = None
    reason: str = ""
    load_ms: float = 0.0


def new_manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows our hooks and no plugin."""
    manager = pluggy.PluginManager("gitcto")
    manager.add_hookspecs(hookspecs)
    return manager


def load_one(manager: pluggy.PluginManager, source: Source) -> tuple[ModuleType | None, str]:
    """Import and register a plugin's hooks; return the module, or None and the reason.

    Raises whatever the module raises on import.
    """
    if not is_name(source.plugin):
        return None, "its name may hold only a-z, 0-9, - and _"
    module = import_module(source.module)
    manager.register(module, name=source.plugin)
    fault = hook_fault(manager, module)
    if fault:
        manager.unregister(module)
        return None, fault
    return module, ""


def hook_fault(manager: pluggy.PluginManager, module: ModuleType) -> str:
    """Return what is wrong with a registered module's hooks as a whole; empty when nothing is."""
    for caller in manager.get_hookcallers(module) or ():
        for impl in caller.get_hookimpls():
            if impl.plugin is not module:
                continue
            if not caller.has_spec() and not impl.optionalhook:
                return f"unknown hook {caller.name}: misspelt, or made for a newer git-cto"
            if impl.hookwrapper or impl.wrapper:
                return f"{caller.name} is a hook wrapper; plugins may not wrap each other"
    return ""


def construct(descriptor: Descriptor) -> object:
    """Import a descriptor's target and construct it; a command's target is returned as it is.

    A strategy's is the bytes of its file. Raises whatever the plugin raises, and ``TypeError`` for
    a contract method that is missing.
    """
    module, _, attribute = descriptor.target.partition(":")
    if isinstance(descriptor, StrategyFile):
        from importlib.resources import files

        return files(module).joinpath(f"{attribute}.toml").read_bytes()
    target = getattr(import_module(module), attribute)
    if isinstance(descriptor, CommandPoint):
        return target
    made = target()
    for method in kind_of(descriptor).methods:
        if not callable(getattr(made, method, None)):
            raise TypeError(f"{descriptor.target} has no method {method}()")
    return made


def tell(impl: pluggy.HookImpl, event: Event, team: str, seq: int, state_dir: Path) -> None:
    """Tell one plugin of one event, passing only the arguments it asks for."""
    from gitcto.contracts import EventContext

    state_dir.mkdir(parents=True, exist_ok=True)
    context = EventContext(team=team, seq=seq, state_dir=state_dir)
    values = {"kind": event.kind, "event": event, "context": context}
    impl.function(*(values[name] for name in impl.argnames))
