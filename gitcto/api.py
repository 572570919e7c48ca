"""All that a plugin may import from git-cto.

``hookimpl`` and the descriptors are here at once, because every ``hooks.py`` needs them; the rest
is imported on first use, so that listing plugins costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pluggy

from gitcto.descriptors import (
    CommandPoint,
    Descriptor,
    Gate,
    Integration,
    MergeResolver,
    Planner,
    Provider,
    Register,
    Sandbox,
    Workspace,
)

if TYPE_CHECKING:
    from gitcto.contracts import (
        CommandResult,
        DraftPlan,
        EventContext,
        GateContext,
        GateResult,
        GateRunner,
        Launch,
        LaunchRequest,
        MergeRequest,
        MergeResult,
        PlanProblem,
        PlanReader,
        Probe,
        ProviderWorker,
        TreeMerger,
        WorkerOutcome,
        WorkerReport,
    )
    from gitcto.errors import CtoError, ExitCode
    from gitcto.forwarder import forwarded
    from gitcto.git.change import Change
    from gitcto.git.durable import discard
    from gitcto.git.lock import exclusive
    from gitcto.git.process import Completed, Git, GitError, plumbing, trusted
    from gitcto.git.remote import Move, Remote, RemoteFailed
    from gitcto.git.repository import Repository
    from gitcto.git.tips import ref_ids, written_ids
    from gitcto.git.trees import (
        Conflicted,
        Merged,
        changes,
        checkout,
        is_ancestor,
        merge_tree,
        patch,
    )
    from gitcto.integration_contracts import PullRequest, PullRequests
    from gitcto.model.codec import Event
    from gitcto.model.ids import is_name, is_task_id, is_team_name
    from gitcto.model.records import Priority, TaskSpec, Tier, Verdict
    from gitcto.policy.lines import line_index, line_of
    from gitcto.room_contracts import (
        Confined,
        Confiner,
        ConfineRequest,
        RoomMaker,
        RoomNeeds,
        RoomRequest,
        RoomTips,
    )

hookimpl = pluggy.HookimplMarker("gitcto")
"""Marks a function of ``hooks.py`` as the implementation of the hook it is named after."""

_LAZY = {
    "gitcto.contracts": (
        "CommandResult",
        "DraftPlan",
        "EventContext",
        "GateContext",
        "GateResult",
        "GateRunner",
        "Launch",
        "LaunchRequest",
        "MergeRequest",
        "MergeResult",
        "PlanProblem",
        "PlanReader",
        "Probe",
        "ProviderWorker",
        "TreeMerger",
        "WorkerOutcome",
        "WorkerReport",
    ),
    "gitcto.errors": ("CtoError", "ExitCode"),
    "gitcto.forwarder": ("forwarded",),
    "gitcto.git.change": ("Change",),
    "gitcto.git.durable": ("discard",),
    "gitcto.git.lock": ("exclusive",),
    "gitcto.git.process": ("Completed", "Git", "GitError", "plumbing", "trusted"),
    "gitcto.git.remote": ("Move", "Remote", "RemoteFailed"),
    "gitcto.git.repository": ("Repository",),
    "gitcto.git.tips": ("ref_ids", "written_ids"),
    "gitcto.git.trees": (
        "Conflicted",
        "Merged",
        "changes",
        "checkout",
        "is_ancestor",
        "merge_tree",
        "patch",
    ),
    "gitcto.integration_contracts": ("PullRequest", "PullRequests"),
    "gitcto.model.codec": ("Event",),
    "gitcto.model.ids": ("is_name", "is_task_id", "is_team_name"),
    "gitcto.model.records": ("Priority", "TaskSpec", "Tier", "Verdict"),
    "gitcto.policy.lines": ("line_index", "line_of"),
    "gitcto.room_contracts": (
        "ConfineRequest",
        "Confined",
        "Confiner",
        "RoomMaker",
        "RoomNeeds",
        "RoomRequest",
        "RoomTips",
    ),
}
_HOME = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "Change",
    "CommandPoint",
    "CommandResult",
    "Completed",
    "ConfineRequest",
    "Confined",
    "Confiner",
    "Conflicted",
    "CtoError",
    "Descriptor",
    "DraftPlan",
    "Event",
    "EventContext",
    "ExitCode",
    "Gate",
    "GateContext",
    "GateResult",
    "GateRunner",
    "Git",
    "GitError",
    "Integration",
    "Launch",
    "LaunchRequest",
    "MergeRequest",
    "MergeResolver",
    "MergeResult",
    "Merged",
    "Move",
    "PlanProblem",
    "PlanReader",
    "Planner",
    "Priority",
    "Probe",
    "Provider",
    "ProviderWorker",
    "PullRequest",
    "PullRequests",
    "Register",
    "Remote",
    "RemoteFailed",
    "Repository",
    "RoomMaker",
    "RoomNeeds",
    "RoomRequest",
    "RoomTips",
    "Sandbox",
    "TaskSpec",
    "Tier",
    "TreeMerger",
    "Verdict",
    "WorkerOutcome",
    "WorkerReport",
    "Workspace",
    "changes",
    "checkout",
    "discard",
    "exclusive",
    "forwarded",
    "hookimpl",
    "is_ancestor",
    "is_name",
    "is_task_id",
    "is_team_name",
    "line_index",
    "line_of",
    "merge_tree",
    "patch",
    "plumbing",
    "ref_ids",
    "trusted",
    "written_ids",
]


def __getattr__(name: str) -> object:
    """Import a public name from where it lives; raises ``AttributeError`` for any other."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return __all__
