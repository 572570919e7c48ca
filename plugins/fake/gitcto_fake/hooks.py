"""Plugin fake: descriptors only; the work is next door."""

from gitcto.api import Abilities, Provider, Register, hookimpl


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``fake``."""
    register.add(
        Provider(
            name="fake",
            summary="Run the scripted fake agent: for demos, tests and rehearsals.",
            target="gitcto_fake.provider:FakeProvider",
            abilities=Abilities(send="in_place", usage="cost", streams=True),
        )
    )
