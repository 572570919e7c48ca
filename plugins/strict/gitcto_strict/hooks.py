"""Plugin strict: a descriptor only; the work is next door."""

from gitcto.api import Register, Sandbox, hookimpl


@hookimpl
def gitcto_register_sandboxes(register: Register[Sandbox]) -> None:
    """Add sandbox ``strict``."""
    register.add(
        Sandbox(
            name="strict",
            level="strict",
            summary="Show a worker its room and the system's programs, nothing else (bubblewrap).",
            target="gitcto_strict.sandbox:Strict",
        )
    )
