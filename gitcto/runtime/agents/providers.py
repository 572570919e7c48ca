"""Which plugin starts the worker of an execution."""

from __future__ import annotations

from gitcto.descriptors import Provider
from gitcto.errors import CtoError
from gitcto.model.records import Execution
from gitcto.policy.records import ProviderSettings
from gitcto.registry import Registered
from gitcto.runtime.host.context import Context

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
