"""What each method of a plugin's contract returns. Compared exactly: a subclass could differ."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitcto.descriptors import Descriptor

_RETURNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Provider": {
            "probe": "Probe",
            "launch": "Launch",
            "send": "SendResult",
            "poll": "Progress",
            "collect": "WorkerReport",
        },
        "Workspace": {
            "create": "NoneType",
            "needs": "RoomNeeds",
            "tips": "RoomTips",
            "release": "NoneType",
        },
        "Sandbox": {"available": "Probe", "confine": "Confined"},
        "Gate": {"judge": "GateResult"},
        "Planner": {"recognises": "bool", "read": "DraftPlan"},
        "MergeResolver": {"merge": "MergeResult"},
        "Predictor": {"good": "float", "conflict": "float"},
        "Integration": {"find": "Receipt | NoneType", "send": "Receipt"},
    }
)
_ROOMS = ("", "integration_", "mail_", "provider_", "room_")
OURS = frozenset({"builtins", *(f"gitcto.{room}contracts" for room in _ROOMS)})
"""The modules that define these types."""


def returns(descriptor: type[Descriptor], method: str) -> str:
    """Return the names of the types that a method of a kind may return, joined by ``|``."""
    return _RETURNS[descriptor.__name__][method]
