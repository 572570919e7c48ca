"""Plugin gemini: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``gemini``."""
    register.add(
        Provider(
            name="gemini",
            summary="Run Google's Gemini CLI as a worker.",
            target="gitcto_gemini.provider:GeminiProvider",
            abilities=Abilities(
                send="resume",
                resumes=True,
                usage="tokens",
                tools=True,
                reads_only=True,
                streams=True,
            ),
        )
    )
