"""What the target itself says about a landing whose outcome is not recorded."""

from __future__ import annotations

from gitcto.git.trees import find_trailer, is_ancestor
from gitcto.model.records import Execution, Landing
from gitcto.runtime.host.context import Context
from gitcto.runtime.workspace.commits import EXECUTION_TRAILER


def landed_as(context: Context, execution: Execution, landing: Landing) -> str:
    """Return the target's commit of this execution: the intended one, or one by its trailer.

    What another clone intended and never pushed is not known here.
    """
    tip = context.refs.read(landing.target)
    if tip is None:
        return ""
    if context.objects.has(landing.new) and is_ancestor(context.git, landing.new, tip):
        return landing.new
    since = landing.old if is_ancestor(context.git, landing.old, tip) else None
    return find_trailer(context.git, tip, since, EXECUTION_TRAILER, execution.id) or ""
