"""Plugin command: descriptors only; the work is next door."""

from gitcto.api import Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``command``."""
    register.add(
        Provider(
            name="command",
            summary="Run any program as a worker; its argv is a template in policy.",
            target="gitcto_command.provider:CommandProvider",
        )
    )
