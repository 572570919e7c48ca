"""Plugin qwen: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``qwen``."""
    register.add(
        Provider(
            name="qwen",
            summary="Run the Qwen Code CLI as a worker.",
            target="gitcto_qwen.provider:QwenProvider",
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
