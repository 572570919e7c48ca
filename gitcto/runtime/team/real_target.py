"""The branch that a team lands on, as git and a remote have it."""

from __future__ import annotations

from gitcto.git.remotes import RemoteUnreachable
from gitcto.model.records import Execution, Landing
from gitcto.runtime.core.world import Target
from gitcto.runtime.delivery import target as targets
from gitcto.runtime.delivery.landed import landed_as
from gitcto.runtime.delivery.pushing import push_target
from gitcto.runtime.host.context import Context


class _Target(Target):
    """A ref of this repository, and of the remote where the team is shared."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def tip(self, name: str) -> str | None:
        return self._context.refs.read(name)

    def refuse_checked_out(self, name: str) -> None:
        targets.refuse_checked_out(self._context.refs, name)

    def move(self, landing: Landing) -> bool:
        return targets.move(self._context, landing)

    def push(self, name: str, commit: str) -> str:
        return push_target(self._context, name, commit)

    def landed_as(self, execution: Execution, landing: Landing) -> str:
        return landed_as(self._context, execution, landing)

    def look(self) -> str:
        if self._context.shared is not None:
            try:
                self._context.shared.look()
            except RemoteUnreachable as unreachable:
                return unreachable.message
        return ""


def real_target(context: Context) -> Target:
    """Return the target of a run with this context."""
    return _Target(context)
