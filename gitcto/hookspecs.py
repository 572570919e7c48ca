"""Every hook a plugin may implement; ``docs/reference/hooks.md`` explains them at length.

Two families: ``gitcto_register_<kind>`` hands over descriptors and does no work;
``gitcto_on_<something>`` is told after the fact, and its answer is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from gitcto.contracts import EventContext
    from gitcto.descriptors import (
        CommandPoint,
        Gate,
        Integration,
        MergeResolver,
        Planner,
        Predictor,
        Provider,
        Register,
        Sandbox,
        StrategyFile,
        Workspace,
    )
    from gitcto.model.codec import Event

hookspec = pluggy.HookspecMarker("gitcto")


@hookspec
def gitcto_register_commands(register: Register[CommandPoint]) -> None:
    """Add subcommands of ``git cto``. Called when help or an unknown command needs them. Stable.

    :param register: ``register.add(CommandPoint(...))``; ``target`` is a click command.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add ways to start a worker. Called when a run or a policy check needs providers. Stable.

    :param register: ``register.add(Provider(...))``; ``target`` makes a ``ProviderWorker``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_workspaces(register: Register[Workspace]) -> None:
    """Add ways to make a worker's room. Called when a run needs one. Stable.

    :param register: ``register.add(Workspace(...))``; ``target`` makes a ``RoomMaker``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_sandboxes(register: Register[Sandbox]) -> None:
    """Add ways to keep a worker in its room. Called when a run needs one. Stable.

    :param register: ``register.add(Sandbox(...))``; ``target`` makes a ``Confiner``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add judges of changes. Called when a run or a policy check needs gates. Stable.

    :param register: ``register.add(Gate(...))``; ``target`` makes a ``GateRunner``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and a gate that policy names and nobody added says no.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_planners(register: Register[Planner]) -> None:
    """Add plan formats. Called when a plan is imported. Stable.

    :param register: ``register.add(Planner(...))``; ``target`` makes a ``PlanReader``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_merge_resolvers(register: Register[MergeResolver]) -> None:
    """Add ways to merge two trees. Called when a change is validated. Stable.

    :param register: ``register.add(MergeResolver(...))``; ``target`` makes a ``TreeMerger``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_predictors(register: Register[Predictor]) -> None:
    """Add ways to guess which changes are good. Called when policy names one. Provisional.

    :param register: ``register.add(Predictor(...))``; ``target`` makes a ``ChangePredictor``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_strategies(register: Register[StrategyFile]) -> None:
    """Add strategies. Called when a run or a policy check needs them. Provisional.

    :param register: ``register.add(StrategyFile(...))``; ``target`` names a TOML file.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_register_integrations(register: Register[Integration]) -> None:
    """Add places where things are done outside. Called when one is to be done. Provisional.

    :param register: ``register.add(Integration(...))``; ``target`` makes an ``OutsideEffect``.
    Return values are ignored. An exception makes this plugin fail: a warning names it, the others
    go on, and nothing runs if policy requires it.
    .. versionadded:: 0.1
    """


@hookspec
def gitcto_on_event(kind: str, event: Event, context: EventContext) -> None:
    """After an event is durable in the ledger. Provisional.

    :param kind: the event's kind, for example ``landing.done``; new kinds appear with versions.
    :param event: the whole event; frozen.
    :param context: the team, the event's number and a directory for this plugin's own files.
    Return values are ignored. An exception, or more than ten seconds, is a warning with your
    plugin's name and changes nothing. A killed orchestrator may leave an event untold: what must
    not be missed is read from the ledger.
    .. versionadded:: 0.1
    """
