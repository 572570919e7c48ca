"""Plugin landlock: descriptors only; the work is next door."""

from gitcto.api import Register, Sandbox, hookimpl


@hookimpl
def gitcto_register_sandboxes(register: Register[Sandbox]) -> None:
    """Add the sandbox ``landlock``."""
    register.add(
        Sandbox(
            name="landlock",
            level="landlock",
            summary="Let the Linux kernel confine writes, reads and sockets; needs no program.",
            target="gitcto_landlock.sandbox:Landlock",
        )
    )
