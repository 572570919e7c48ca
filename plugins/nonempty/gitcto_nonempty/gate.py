"""An attempt that changed nothing has done nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult

if TYPE_CHECKING:
    from gitcto.api import GateContext


class NonemptyGate:
    """Passes when the change touches at least one path."""

    def judge(self, context: GateContext) -> GateResult:
        """Count the changed paths."""
        for key in context.settings:
            message = f"gate nonempty: unknown key {key!r}"
            raise CtoError(message, "it takes no settings", ExitCode.POLICY)
        if not context.changes:
            return GateResult(status="fail", reason="no_diff", detail="the attempt changed nothing")
        count = len(context.changes)
        detail = "1 path changed" if count == 1 else f"{count} paths changed"
        return GateResult(status="pass", reason="changed", detail=detail)
