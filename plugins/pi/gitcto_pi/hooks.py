"""Plugin pi: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``pi``."""
    register.add(
        Provider(
            name="pi",
            summary="The coding agent pi, driven over its RPC protocol.",
            target="gitcto_pi.provider:PiProvider",
            abilities=Abilities(
                send="in_place",
                interrupt="protocol",
                resumes=True,
                usage="cost",
                tools=True,
                reads_only=True,
                streams=True,
            ),
        )
    )
