"""The static part of the conformance kit: what ``git cto plugins check NAME`` looks at.

Nothing here needs pytest, a repository or the plugin's cooperation.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import sys
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gitcto import hookspecs
from gitcto.containment import Crashed, TimedOut, contain, one_line
from gitcto.descriptors import CommandPoint, Gate, Integration, Planner, StrategyFile
from gitcto.loading import construct, hook_fault, new_manager
from gitcto.model.ids import is_name
from gitcto.registry import KINDS, Kind, Offers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitcto.descriptors import Descriptor
    from gitcto.entrypoints import Source

LIGHT = frozenset({"__future__", "typing", "collections.abc", "gitcto.api"})
"""What a ``hooks`` module, and the packages it lies in, may import."""

_DEADLINE_S = 30.0
_PARAMETERS = {
    "probe": 2,
    "launch": 1,
    "collect": 1,
    "poll": 2,
    "create": 1,
    "needs": 2,
    "tips": 2,
    "release": 3,
    "available": 1,
    "confine": 1,
    "judge": 1,
    "recognises": 1,
    "read": 1,
    "merge": 1,
    "find": 1,
    "send": 1,
    "good": 1,
    "conflict": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule; ``rule`` is stable, ``message`` one line for a person."""

    rule: str
    message: str


def check(source: Source, failed: str = "") -> tuple[Finding, ...]:
    """Return every rule a plugin breaks; empty when it keeps them all.

    :param failed: why the plugin failed in this process; a finding of its own (``load``) when
        looking at the plugin alone does not explain it, as with two plugins of one name.
    The plugin is loaded once more beside the running one, into a manager that is thrown away.
    Never raises for what the plugin does.
    """
    if not is_name(source.plugin):
        return (_finding("name", "a plugin's name may hold only a-z, 0-9, - and _"),)
    printed = io.StringIO()
    imports = sys.path[:], sys.meta_path[:]
    with contextlib.redirect_stdout(printed):
        findings = [*_lightness(source), *_hooks(source)]
    if imports != (sys.path, sys.meta_path):
        sys.path[:], sys.meta_path[:] = imports
        findings.append(_finding("residue", "it changes where Python looks for modules"))
    if printed.getvalue():
        findings.append(_finding("silent", "it prints to standard output while being loaded"))
    if failed and not findings:
        findings.append(_finding("load", failed))
    return tuple(findings)


def _finding(rule: str, message: str) -> Finding:
    return Finding(rule=rule, message=message)


def _lightness(source: Source) -> Iterator[Finding]:
    """Read the sources: what is imported elsewhere in this process would hide a heavy import."""
    parts = source.module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        try:
            spec = find_spec(name)
        except (Exception, SystemExit):  # noqa: BLE001  # reported when it is loaded
            return
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            continue
        try:
            tree = ast.parse(Path(spec.origin).read_bytes())
        except (OSError, SyntaxError, ValueError):
            return
        for heavy in sorted(set(_imported(tree)) - LIGHT):
            yield _finding("light", f"{name} imports {heavy}; the work belongs next door")


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.Name) and node.id == "__import__":
            yield "through __import__"


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those below ``if TYPE_CHECKING:``, which never run."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _running(other)
        else:
            yield from _running(child)


def _hooks(source: Source) -> Iterator[Finding]:
    module = _attempt(source, partial(_executed, source.module))
    if not isinstance(module, ModuleType):
        yield _finding("load", module.reason)
        return
    manager = new_manager()
    try:
        manager.register(module, name=source.plugin)
    except Exception as error:  # noqa: BLE001  # pluggy's own and whatever a module's getattr does
        yield _finding("hook-arguments", one_line(error))
        return
    yield from _signatures(module)
    fault = hook_fault(manager, module)
    if fault:
        yield _finding("hook-wrapper" if "wrapper" in fault else "hook-known", fault)
        return
    if not manager.get_hookcallers(module):
        yield _finding("no-hooks", f"{source.module} implements no hook at all")
    for kind in KINDS.values():
        function = getattr(module, kind.hook, None)
        if function is not None and hasattr(function, "gitcto_impl"):
            yield from _kind(source, kind, function)


def _executed(name: str) -> ModuleType:
    """Run a fresh copy of a module that nobody else sees; its packages are imported as usual."""
    from importlib.util import module_from_spec

    parent = name.rpartition(".")[0]
    if parent:
        import_module(parent)
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _attempt(source: Source, call: Callable[[], Any]) -> Any:
    return contain(source.plugin, str(source), call, deadline_s=_DEADLINE_S)


def _signatures(module: ModuleType) -> Iterator[Finding]:
    for name, function in sorted(vars(module).items()):
        if not name.startswith("gitcto_") or not inspect.isfunction(function):
            continue
        if not hasattr(function, "gitcto_impl"):
            yield _finding("hookimpl", f"{name} lacks the decorator @hookimpl, so it never runs")
            continue
        spec = getattr(hookspecs, name, None)
        known = inspect.signature(spec).parameters if spec else None
        for parameter in inspect.signature(function).parameters.values():
            if parameter.default is not parameter.empty:
                message = f"{name}: {parameter.name} has a default, which pluggy may ignore"
                yield _finding("hook-defaults", message)
            if known is not None and parameter.name not in known:
                yield _finding("hook-arguments", f"{name} has no argument {parameter.name!r}")


def _kind(source: Source, kind: Kind, function: Callable[..., object]) -> Iterator[Finding]:
    rounds = []
    for _ in range(2):
        offers = Offers(kind)
        wanted = len(inspect.signature(function).parameters)
        outcome = _attempt(source, partial(function, *([offers] * wanted)))
        if isinstance(outcome, Crashed | TimedOut):
            expected = isinstance(outcome, Crashed) and outcome.expected
            yield _finding("descriptor" if expected else "register", outcome.reason)
            return
        if outcome is not None:
            yield _finding("returns", f"{kind.hook} returns a value, which is ignored")
        rounds.append({name: offer.descriptor for name, offer in offers.made.items()})
    if rounds[0] != rounds[1]:
        yield _finding("stable", f"{kind.hook} offers something else when it is called again")
    if not rounds[0]:
        yield _finding("no-offers", f"{kind.hook} adds nothing")
    for descriptor in rounds[0].values():
        yield from _descriptor(source, kind, descriptor)


def _descriptor(source: Source, kind: Kind, descriptor: Descriptor) -> Iterator[Finding]:
    what = f"{kind.singular} {descriptor.name!r}"
    if isinstance(descriptor, Gate) and not 0 < descriptor.deadline_s < float("inf"):
        yield _finding("descriptor", f"{what} needs a deadline of more than 0 s")
    if isinstance(descriptor, Planner) and not _are_suffixes(descriptor.suffixes):
        yield _finding("descriptor", f"{what} needs file endings like `.md`")
    if isinstance(descriptor, Integration):
        yield from _integration(what, descriptor)
    target = _attempt(source, partial(construct, descriptor))
    if isinstance(target, Crashed | TimedOut):
        yield _finding("target", f"{what}: {target.reason}")
    elif isinstance(descriptor, StrategyFile):
        yield from _strategy(what, descriptor, target)
    elif isinstance(descriptor, CommandPoint):
        if not callable(getattr(target, "main", None)):
            yield _finding("target", f"{what}: {descriptor.target} is no click command")
    else:
        for method in kind.methods:
            if not _takes(getattr(target, method), _PARAMETERS[method]):
                count = _PARAMETERS[method]
                message = f"{what}: {method}() must take {count} positional arguments"
                yield _finding("contract", message)


def _integration(what: str, descriptor: Integration) -> Iterator[Finding]:
    if not isinstance(descriptor.effects, tuple) or not all(map(is_name, descriptor.effects)):
        yield _finding("descriptor", f"{what} needs names of effects, like `pull-request`")
    if descriptor.lookup not in {"exact", "none"}:
        yield _finding("descriptor", f"{what} needs a lookup of `exact` or `none`")
    if not 0 <= descriptor.lag_s < float("inf"):
        yield _finding("descriptor", f"{what} needs a lag of 0 s or more")


def _strategy(what: str, descriptor: StrategyFile, text: bytes) -> Iterator[Finding]:
    from gitcto.policy.problems import PolicyError
    from gitcto.policy.strategies import parse_strategy

    try:
        parse_strategy(text, descriptor.name, descriptor.target)
    except PolicyError as error:
        for problem in error.problems:
            yield _finding("strategy", f"{what}: {problem}")


def _are_suffixes(suffixes: object) -> bool:
    return (
        isinstance(suffixes, tuple)
        and bool(suffixes)
        and all(isinstance(each, str) and each.startswith(".") for each in suffixes)
    )


def _takes(method: Callable[..., object], count: int) -> bool:
    try:
        inspect.signature(method).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True
