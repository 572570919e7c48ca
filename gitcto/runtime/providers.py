"""Which plugin starts the worker of an execution, and whether it can do so here."""

from __future__ import annotations

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import Probe
from gitcto.descriptors import Provider
from gitcto.errors import CtoError
from gitcto.model.records import Execution
from gitcto.policy.records import ProviderSettings
from gitcto.registry import Registered
from gitcto.runtime.ask import ask
from gitcto.runtime.context import Context
from gitcto.runtime.unstartable import Unstartable

ASK_DEADLINE_S = 60.0
"""How long a provider may take to answer (seconds)."""


def provider_of(
    context: Context, execution: Execution
) -> tuple[Registered[Provider], ProviderSettings]:
    """Return the provider that an execution was leased for; ``CtoError`` for none."""
    settings = context.policy.providers[execution.provider]
    registered = context.plugins.providers().get(settings.plugin)
    if registered is None:
        raise CtoError(
            f"no plugin provides {settings.plugin!r} for provider {execution.provider!r}",
            "install it, or change [providers] in policy.toml",
        )
    return registered, settings


def must_be_available(context: Context, execution: Execution) -> None:
    """Refuse a provider that says that it cannot work here; raises ``Unstartable``."""
    registered, settings = provider_of(context, execution)
    answer: Probe | Crashed | TimedOut = ask(
        context.plugins,
        registered,
        "probe",
        settings.settings,
        context.environ,
        deadline_s=ASK_DEADLINE_S,
    )
    if isinstance(answer, Crashed | TimedOut):
        raise answer.error()
    if not answer.available:
        what = f"provider {execution.provider!r} cannot work on this machine"
        hint = answer.hint or f"see `git cto doctor`, or change [providers.{execution.provider}]"
        raise Unstartable("provider_unavailable", what, hint)
