"""Whether the strategies that policy speaks of can run here, and who fills their roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gitcto.errors import CtoError, ExitCode
from gitcto.policy.eligibility_rule import agent_of
from gitcto.policy.strategies import candidates
from gitcto.runtime.host.strategies import strategy_of

if TYPE_CHECKING:
    from gitcto.descriptors import Abilities
    from gitcto.plugins import Plugins
    from gitcto.policy.records import Policy
    from gitcto.strategies.records import Strategy, StrategyStep


class StrategyProblem(NamedTuple):
    """What is wrong with a strategy under a policy; a ``grave`` one keeps it from running."""

    message: str
    grave: bool


def strategy_problems(plugins: Plugins, policy: Policy) -> tuple[StrategyProblem, ...]:
    """Return what is wrong with the strategies of policy's roles, and with those it speaks of."""
    return tuple(dict.fromkeys(_problems(plugins, policy)))


def must_run(plugins: Plugins, policy: Policy) -> None:
    """Raise ``CtoError`` when nobody could do a step of a role's strategy, before it is paid for.

    One that does not exist any more is no hindrance to the attempts that began with it.
    """
    for role, settings in policy.roles.items():
        try:
            strategy = strategy_of(plugins, policy, settings.strategy)
        except CtoError:
            continue
        for problem in _filled(plugins, policy, strategy, role):
            if problem.grave:
                hint = "see `git cto policy validate`"
                raise CtoError(f"policy.toml: {problem.message}", hint, ExitCode.POLICY)


def _problems(plugins: Plugins, policy: Policy) -> Iterator[StrategyProblem]:
    used = {name: role.strategy for name, role in policy.roles.items()}
    for role, name in used.items():
        try:
            strategy = strategy_of(plugins, policy, name)
        except CtoError as error:
            message = f"[roles.{role}] {error.message}: {error.hint}"
            yield StrategyProblem(message, grave=True)
            continue
        yield from _filled(plugins, policy, strategy, role)
    for name in policy.strategies:
        if name in used.values():
            continue
        try:
            strategy_of(plugins, policy, name)
        except CtoError as error:
            yield StrategyProblem(f"[strategies.{name}] {error.message}: {error.hint}", grave=True)


def _filled(
    plugins: Plugins, policy: Policy, strategy: Strategy, role: str
) -> Iterator[StrategyProblem]:
    own = policy.roles[role].providers
    yield from _independent(policy, strategy, role)
    for step in strategy.steps:
        who = candidates(policy, strategy, step.role, own)
        if not who and len(strategy.steps) > 1:
            hint = f"name one in [strategies.{strategy.name}.providers]"
            message = f"[roles.{role}] nobody fills {step.role!r} of {strategy.name}: {hint}"
            yield StrategyProblem(message, grave=True)
        for provider in who:
            lacks = _lacks(step, _abilities(plugins, policy, provider))
            if lacks:
                message = f"provider {provider!r} as {step.role!r} of {strategy.name} {lacks}"
                yield StrategyProblem(message, grave=False)


def _independent(policy: Policy, strategy: Strategy, role: str) -> Iterator[StrategyProblem]:
    """Yield the judges that could only judge what they wrote themselves, which nobody may.

    A writer with one provider has certainly written with it. One with several is asked to with the
    first that may, so a judge who is left with none but such is told of.
    """
    own = policy.roles[role].providers
    first: set[str] = set()
    certain: set[str] = set()
    for step in strategy.steps:
        asked = candidates(policy, strategy, step.role, own)
        who = tuple(dict.fromkeys(agent_of(policy, each) for each in asked))
        if step.kind == "write":
            first.update(who[:1])
            certain.update(who if len(who) == 1 else ())
        if step.judges and who and set(who) <= first | certain:
            names = " and ".join(map(repr, who))
            sure = set(who) <= certain
            what = f"{names} alone {'is' if len(who) == 1 else 'are'} {step.role!r}"
            wrote = "wrote it" if sure else "would write it first"
            hint = f"name another in [strategies.{strategy.name}.providers]"
            message = f"[roles.{role}] {what} of {strategy.name}, and {wrote}: {hint}"
            yield StrategyProblem(message, grave=sure)


def _abilities(plugins: Plugins, policy: Policy, provider: str) -> Abilities | None:
    settings = policy.providers.get(provider)
    registered = plugins.providers().get(settings.plugin) if settings else None
    return registered.descriptor.abilities if registered else None


def _lacks(step: StrategyStep, abilities: Abilities | None) -> str:
    """Return what a provider cannot be held to; its room and the reader of verdicts see to it."""
    if abilities is None or step.kind == "write":
        return ""
    if not abilities.reads_only:
        return "cannot be kept from changing files; what it changes is thrown away"
    if step.judges and not abilities.answers:
        return "cannot be held to the form of a verdict; any other answer is none"
    return ""
