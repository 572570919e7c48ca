"""A change small enough to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult

if TYPE_CHECKING:
    from gitcto.api import GateContext

DEFAULT_MAX_PATHS = 20


class SmallChangeGate:
    """Refuses changes of more than ``max_paths`` paths."""

    def judge(self, context: GateContext) -> GateResult:
        """Count the paths."""
        unknown = sorted(set(context.settings) - {"max_paths"})
        limit = context.settings.get("max_paths", DEFAULT_MAX_PATHS)
        if unknown or type(limit) is not int:
            message = f"gate small-change: cannot read key {(unknown or ['max_paths'])[0]!r}"
            raise CtoError(message, "it takes max_paths, a number", ExitCode.POLICY)
        count = len(context.changes)
        detail = f"{count} paths changed, {limit} allowed"
        if count > limit:
            return GateResult(status="fail", reason="too_many_paths", detail=detail)
        return GateResult(status="pass", reason="small", detail=detail)
