"""The public kit: a repository to talk to, contracts to keep, and things that break on request.

Names are imported on first use; the fixtures are in :mod:`gitcto.testing.fixtures`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitcto.testing.agents import AgentContract
    from gitcto.testing.fault_loop import FaultLoop
    from gitcto.testing.faulty import Faulty
    from gitcto.testing.gate_contract import GateContract, gate_context
    from gitcto.testing.kit import Capabilities, ContractBrokenError, PluginContract
    from gitcto.testing.merge_resolver_contract import MergeResolverContract
    from gitcto.testing.model_server import ModelServer
    from gitcto.testing.outcome import Outcome
    from gitcto.testing.outside_effect_contract import OutsideEffectContract
    from gitcto.testing.planner_contract import PlannerContract
    from gitcto.testing.power_loss import PowerLoss
    from gitcto.testing.provider_contract import ProviderContract
    from gitcto.testing.repo import CtoRepo
    from gitcto.testing.sandbox_contract import SandboxContract
    from gitcto.testing.scene import Operation, Scene
    from gitcto.testing.workspace_contract import WorkspaceContract

_HOME = {
    "AgentContract": "agents",
    "Capabilities": "kit",
    "ContractBrokenError": "kit",
    "CtoRepo": "repo",
    "FaultLoop": "fault_loop",
    "Faulty": "faulty",
    "GateContract": "gate_contract",
    "MergeResolverContract": "merge_resolver_contract",
    "ModelServer": "model_server",
    "Operation": "scene",
    "Outcome": "outcome",
    "OutsideEffectContract": "outside_effect_contract",
    "PlannerContract": "planner_contract",
    "PluginContract": "kit",
    "PowerLoss": "power_loss",
    "ProviderContract": "provider_contract",
    "SandboxContract": "sandbox_contract",
    "Scene": "scene",
    "WorkspaceContract": "workspace_contract",
    "gate_context": "gate_contract",
}

__all__ = [
    "AgentContract",
    "Capabilities",
    "ContractBrokenError",
    "CtoRepo",
    "FaultLoop",
    "Faulty",
    "GateContract",
    "MergeResolverContract",
    "ModelServer",
    "Operation",
    "Outcome",
    "OutsideEffectContract",
    "PlannerContract",
    "PluginContract",
    "PowerLoss",
    "ProviderContract",
    "SandboxContract",
    "Scene",
    "WorkspaceContract",
    "gate_context",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module; raises ``AttributeError`` for any other."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
