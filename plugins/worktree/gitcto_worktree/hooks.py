"""Plugin worktree: descriptors only; the work is next door."""

from gitcto.api import Register, Workspace, hookimpl


@hookimpl
def gitcto_register_workspaces(register: Register[Workspace]) -> None:
    """Add workspace ``worktree``."""
    register.add(
        Workspace(
            name="worktree",
            summary="A linked worktree of the user's repository for each worker.",
            target="gitcto_worktree.room:WorktreeRoom",
        )
    )
