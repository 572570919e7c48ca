"""Plugin case: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``case``, a gated engine."""
    register.add(
        Provider(
            name="case",
            summary="Run an engine that is not proved yet: refused unless asked for by name.",
            target="gitcto_case.provider:CaseProvider",
            abilities=Abilities(usage="cost", resumes=True, streams=True),
            gated=True,
        )
    )
