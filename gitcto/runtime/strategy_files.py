"""Which strategy a name means: policy's own, or one that a plugin brings, as policy wants it."""

from __future__ import annotations

from types import MappingProxyType

from gitcto.errors import CtoError
from gitcto.model.step_records import SINGLE_WORKER
from gitcto.runtime.context import Context
from gitcto.strategies.records import Source, Strategy, StrategyStep

_WRITE = StrategyStep(
    name="write",
    role="writer",
    kind="write",
    seat="main",
    group="",
    reads=(Source("task"),),
    failures=MappingProxyType({}),
)
SINGLE = Strategy(
    name=SINGLE_WORKER,
    summary="One worker writes; gates alone judge what it wrote.",
    roles=MappingProxyType({}),
    steps=(_WRITE,),
)


def strategy_named(context: Context, name: str) -> Strategy:
    """Return a strategy by name. Raises ``CtoError`` for none."""
    del context
    if name == SINGLE_WORKER:
        return SINGLE
    raise CtoError(f"there is no strategy {name!r}", "`git cto plugins` lists them")
