"""Plugin clone: descriptors only; the work is next door."""

from gitcto.api import Register, Workspace, hookimpl


@hookimpl
def gitcto_register_workspaces(register: Register[Workspace]) -> None:
    """Add workspace ``clone``."""
    register.add(
        Workspace(
            name="clone",
            summary="A repository of its own for each worker, sharing only the objects.",
            target="gitcto_clone.room:CloneRoom",
        )
    )
