"""Plugin unconfined: descriptors only; the work is next door."""

from gitcto.api import Register, Sandbox, hookimpl


@hookimpl
def gitcto_register_sandboxes(register: Register[Sandbox]) -> None:
    """Add sandboxes ``detect`` and ``none``."""
    register.add(
        Sandbox(
            name="detect",
            level="detect",
            summary="Confine nothing; what changed outside the room blocks the landing.",
            target="gitcto_unconfined.sandbox:Unconfined",
        )
    )
    register.add(
        Sandbox(
            name="none",
            level="none",
            summary="Confine nothing, for workers that are trusted with everything.",
            target="gitcto_unconfined.sandbox:Unconfined",
        )
    )
