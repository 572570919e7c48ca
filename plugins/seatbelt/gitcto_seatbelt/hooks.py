"""Plugin seatbelt: descriptors only; the work is next door."""

from gitcto.api import Register, Sandbox, hookimpl


@hookimpl
def gitcto_register_sandboxes(register: Register[Sandbox]) -> None:
    """Add the sandbox ``seatbelt``."""
    register.add(
        Sandbox(
            name="seatbelt",
            level="seatbelt",
            summary="Let macOS confine writes, reads and sockets, with sandbox-exec.",
            target="gitcto_seatbelt.sandbox:Seatbelt",
        )
    )
