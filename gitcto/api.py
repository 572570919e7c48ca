"""All that a plugin may import from git-cto.

``hookimpl`` and the descriptors are here at once, because every ``hooks.py`` needs them; the rest
is imported on first use, so that listing plugins costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pluggy

from gitcto.api_homes import HOME
from gitcto.descriptors import (
    Abilities,
    CommandPoint,
    Descriptor,
    Gate,
    Integration,
    MergeResolver,
    Planner,
    Predictor,
    Provider,
    Register,
    Sandbox,
    StrategyFile,
    Workspace,
)

if TYPE_CHECKING:
    from gitcto.agents.commands import own_commands, read_commands
    from gitcto.agents.dialect import Dialect, fold
    from gitcto.agents.driver_mail import INTERRUPT_MARK, DriverLetter, DriverMail
    from gitcto.agents.faults import fault, fault_of
    from gitcto.agents.lines import Line
    from gitcto.agents.node import NodeCli
    from gitcto.agents.programs import InstalledProgram, find_program, needed_program, probe_program
    from gitcto.agents.provider import AgentProvider
    from gitcto.agents.report import collect_report
    from gitcto.agents.rooms import agent_environment, agent_home, prompt_text, write_private
    from gitcto.agents.settings import AgentSettings, read_agent_settings
    from gitcto.backends import backend_of
    from gitcto.command_results import CANNOT_RUN, could_not_run, last_line, one_line
    from gitcto.contracts import (
        Backend,
        CommandResult,
        DraftPlan,
        EventContext,
        GateContext,
        GateResult,
        GateRunner,
        MergeRequest,
        MergeResult,
        PlanProblem,
        PlanReader,
        Probe,
        TreeMerger,
    )
    from gitcto.errors import CtoError, ExitCode
    from gitcto.forwarder import forwarded
    from gitcto.git.change import Change
    from gitcto.git.durable import discard, replace_file, sync_directory
    from gitcto.git.lock import exclusive
    from gitcto.git.patch_error import PatchError
    from gitcto.git.patch_files import AddedLine, FilePatch, read_patch
    from gitcto.git.process import Completed, Git, GitError, plumbing, trusted
    from gitcto.git.refs import Refs
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
    from gitcto.globs import covers
    from gitcto.integration_contracts import EffectRequest, OutsideEffect, Receipt, Refused
    from gitcto.mail_contracts import Letter, SendRequest, SendResult
    from gitcto.mailbox import leave_in_mailbox, letter_text, letters_in
    from gitcto.model.agent_records import Fault, FaultKind, Usage
    from gitcto.model.codec import Event
    from gitcto.model.ids import is_name, is_task_id
    from gitcto.model.records import Priority, TaskSpec, Tier, Verdict
    from gitcto.policy.lines import line_index, line_of
    from gitcto.provider_contracts import (
        AgentEvent,
        Launch,
        LaunchRequest,
        Progress,
        ProviderWorker,
        StopNote,
        ToolServer,
        WorkerOutcome,
        WorkerOutput,
        WorkerReport,
        failed,
    )
    from gitcto.queue.predict import ChangePredictor, PlainPredictor
    from gitcto.queue.records import Item
    from gitcto.report_files import ReportFiles, report_path_problem
    from gitcto.reports.ctrf import emit_ctrf, parse_ctrf
    from gitcto.reports.junit import parse_junit
    from gitcto.reports.records import Case, Report, ReportError, joined
    from gitcto.reports.sarif import Finding, emit_sarif, parse_sarif
    from gitcto.room_contracts import (
        Confined,
        Confiner,
        ConfineRequest,
        RoomMaker,
        RoomNeeds,
        RoomRequest,
        RoomTips,
    )
    from gitcto.strategies.answers import (
        ANSWER_VERSION,
        Answer,
        AnswerError,
        Remark,
        parse_answer,
    )
    from gitcto.templates import fill_template
    from gitcto.untrusted_files import read_untrusted

hookimpl = pluggy.HookimplMarker("gitcto")
"""Marks a function of ``hooks.py`` as the implementation of the hook it is named after."""

__all__ = [
    "ANSWER_VERSION",
    "CANNOT_RUN",
    "INTERRUPT_MARK",
    "Abilities",
    "AddedLine",
    "AgentEvent",
    "AgentProvider",
    "AgentSettings",
    "Answer",
    "AnswerError",
    "Backend",
    "Case",
    "Change",
    "ChangePredictor",
    "CommandPoint",
    "CommandResult",
    "Completed",
    "ConfineRequest",
    "Confined",
    "Confiner",
    "Conflicted",
    "CtoError",
    "Descriptor",
    "Dialect",
    "DraftPlan",
    "DriverLetter",
    "DriverMail",
    "EffectRequest",
    "Event",
    "EventContext",
    "ExitCode",
    "Fault",
    "FaultKind",
    "FilePatch",
    "Finding",
    "Gate",
    "GateContext",
    "GateResult",
    "GateRunner",
    "Git",
    "GitError",
    "InstalledProgram",
    "Integration",
    "Item",
    "Launch",
    "LaunchRequest",
    "Letter",
    "Line",
    "MergeRequest",
    "MergeResolver",
    "MergeResult",
    "Merged",
    "Move",
    "NodeCli",
    "OutsideEffect",
    "PatchError",
    "PlainPredictor",
    "PlanProblem",
    "PlanReader",
    "Planner",
    "Predictor",
    "Priority",
    "Probe",
    "Progress",
    "Provider",
    "ProviderWorker",
    "Receipt",
    "Refs",
    "Refused",
    "Register",
    "Remark",
    "Remote",
    "RemoteFailed",
    "Report",
    "ReportError",
    "ReportFiles",
    "Repository",
    "RoomMaker",
    "RoomNeeds",
    "RoomRequest",
    "RoomTips",
    "Sandbox",
    "SendRequest",
    "SendResult",
    "StopNote",
    "StrategyFile",
    "TaskSpec",
    "Tier",
    "ToolServer",
    "TreeMerger",
    "Usage",
    "Verdict",
    "WorkerOutcome",
    "WorkerOutput",
    "WorkerReport",
    "Workspace",
    "agent_environment",
    "agent_home",
    "backend_of",
    "changes",
    "checkout",
    "collect_report",
    "could_not_run",
    "covers",
    "discard",
    "emit_ctrf",
    "emit_sarif",
    "exclusive",
    "failed",
    "fault",
    "fault_of",
    "fill_template",
    "find_program",
    "fold",
    "forwarded",
    "hookimpl",
    "is_ancestor",
    "is_name",
    "is_task_id",
    "joined",
    "last_line",
    "leave_in_mailbox",
    "letter_text",
    "letters_in",
    "line_index",
    "line_of",
    "merge_tree",
    "needed_program",
    "one_line",
    "own_commands",
    "parse_answer",
    "parse_ctrf",
    "parse_junit",
    "parse_sarif",
    "patch",
    "plumbing",
    "probe_program",
    "prompt_text",
    "read_agent_settings",
    "read_commands",
    "read_patch",
    "read_untrusted",
    "ref_ids",
    "replace_file",
    "report_path_problem",
    "sync_directory",
    "trusted",
    "write_private",
    "written_ids",
]


def __getattr__(name: str) -> object:
    """Import a public name from where it lives; raises ``AttributeError`` for any other."""
    home = HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return __all__
