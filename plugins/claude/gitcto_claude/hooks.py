"""Plugin claude: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``claude``."""
    register.add(
        Provider(
            name="claude",
            summary="Run Claude Code (proprietary: you need Anthropic's licence).",
            target="gitcto_claude.provider:ClaudeProvider",
            abilities=Abilities(
                send="resume",
                resumes=True,
                usage="cost",
                answers=True,
                tools=True,
                reads_only=True,
                streams=True,
            ),
        )
    )
