"""Plugin opencode: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``opencode``."""
    register.add(
        Provider(
            name="opencode",
            summary="The coding agent opencode, one process for each turn.",
            target="gitcto_opencode.provider:OpencodeProvider",
            abilities=Abilities(
                send="resume",
                resumes=True,
                usage="cost",
                tools=True,
                reads_only=True,
                streams=True,
            ),
        )
    )
