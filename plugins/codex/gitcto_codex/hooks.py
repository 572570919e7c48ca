"""Plugin codex: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``codex``."""
    register.add(
        Provider(
            name="codex",
            summary="Run OpenAI's Codex CLI as a worker.",
            target="gitcto_codex.provider:CodexProvider",
            abilities=Abilities(
                send="resume",
                resumes=True,
                usage="tokens",
                answers=True,
                tools=True,
                reads_only=True,
                streams=True,
            ),
        )
    )
