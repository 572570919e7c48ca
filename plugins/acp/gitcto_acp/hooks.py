"""Plugin acp: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``acp``."""
    register.add(
        Provider(
            name="acp",
            summary="Run any agent that speaks the Agent Client Protocol.",
            target="gitcto_acp.provider:AcpProvider",
            abilities=Abilities(
                send="in_place",
                interrupt="protocol",
                resumes=True,
                tools=True,
                reads_only=True,
                streams=True,
            ),
        )
    )
