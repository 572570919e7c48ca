"""``git cto approve``, ``deny`` and ``approvals``: a person's word on a change before it lands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gitcto.cli import wording
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.persons import refuse_worker
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitcto.cli.app import App
    from gitcto.model.queue_commands import Approve, Deny
    from gitcto.model.records import Decision, Execution, Task
    from gitcto.policy.records import Policy
    from gitcto.store.ledger import Ledger
    from gitcto.store.reader import LedgerReader

_SHOWN = 12
_SHORTEST = 8

_change_option = click.option(
    "--change",
    metavar="ID",
    default="",
    help="Only if it is still this change; 8 digits are enough.",
)
_reason_option = click.option("--reason", metavar="TEXT", default="", help="Why, for the ledger.")


@click.command()
@click.argument("task")
@_change_option
@_reason_option
@team_option
@pass_app
def approve(app: App, task: str, *, change: str, reason: str, team: str | None) -> None:
    """Approve the change of TASK that waits for it: that one, and no later one.

    On a terminal, without `--change`, it shows the change and asks.
    """
    from gitcto.model.queue_commands import Approve

    answered = _answer(app, (task, change, reason, team), Approve)
    given, needed = len(answered.after.approved_by), answered.after.approvals_needed
    app.output.data(f"Approved {answered.what}: {given} of {needed} approvals")
    go_on = "; `git cto run` lands it" if given >= needed else ""
    app.output.hint(f"take it back before it lands with `git cto deny {visible(task)}`{go_on}")


@click.command()
@click.argument("task")
@_change_option
@_reason_option
@team_option
@pass_app
def deny(app: App, task: str, *, change: str, reason: str, team: str | None) -> None:
    """Refuse the change of TASK, also an approved one that has not landed. Its work is kept."""
    from gitcto.model.queue_commands import Deny

    answered = _answer(app, (task, change, reason, team), Deny)
    app.output.data(f"Refused {answered.what}")
    app.output.hint(
        f"`git cto run` takes it out and keeps its work; then `git cto retry {visible(task)}`"
    )


@click.command()
@team_option
@json_option
@pass_app
def approvals(app: App, *, team: str | None, as_json: bool) -> None:
    """List the changes that wait for a person's approval, and how to look at each."""
    from gitcto.git.process import trusted
    from gitcto.git.trees import stat

    with app.reader(team) as reader:
        waiting = [x for x in reader.view().live() if x.approval == "requested"]
    git, now = trusted(app.repository), app.effects.now_ms()
    stats = [stat(git, each.base, each.work).splitlines() for each in waiting]
    if as_json:
        pairs = zip(waiting, stats, strict=True)
        app.output.json({"approvals": [_plain(each, lines) for each, lines in pairs]})
        return
    if not waiting:
        app.output.data("Nothing waits for approval")
        return
    app.output.table(
        ("TASK", "CHANGE", "APPROVED", "EXPIRES", "PATCH"),
        [
            (
                each.task,
                each.change[:_SHOWN],
                f"{len(each.approved_by)} of {each.approvals_needed}",
                _expires(each, now),
                lines[-1].strip() if lines else "no difference",
            )
            for each, lines in zip(waiting, stats, strict=True)
        ],
    )
    first = waiting[0]
    app.output.hint(f"look with `git show {first.work[:_SHOWN]}`, then `{_command(first)}`")


def _command(x: Execution) -> str:
    return f"git cto approve {visible(x.task)} --change {x.change[:_SHOWN]}"


def _expires(x: Execution, now_ms: int) -> str:
    left = x.approvals_expire_ms
    return f"in {wording.age(now_ms, left)}" if left > now_ms else "expired"


def _plain(x: Execution, patch: list[str]) -> Mapping[str, Any]:
    return {
        "task": x.task,
        "execution": x.id,
        "change": x.change,
        "approved_by": list(x.approved_by),
        "needed": x.approvals_needed,
        "expires_ms": x.approvals_expire_ms,
        "base": x.base,
        "work": x.work,
        "patch": patch,
    }


class _Answered(NamedTuple):
    what: str
    after: Execution


def _answer(
    app: App, asked: tuple[str, str, str, str | None], kind: Callable[..., Approve | Deny]
) -> _Answered:
    """Record a person's answer about the change that waits now; refuse everybody else's."""
    from gitcto.cli.record import record

    task_id, wanted, reason, team = asked
    refuse_worker(app.host.environ, "approve or deny")
    with app.ledger(team) as ledger:
        task = app.task(ledger, task_id)
        execution = _waiting(ledger, task, wanted)
        what = f"change {execution.change[:_SHOWN]} of {visible(task_id)}"
        if not wanted and app.host.stdin_tty:
            _ask(app, execution, what)
        answer = kind(
            execution=execution.id,
            change=execution.change,
            by=app.host.actor,
            decision=_decision(app, ledger, task, execution),
            reason=reason,
        )
        record(ledger, answer)
        after = ledger.view().execution(execution.id) or execution
    return _Answered(what, after)


def _waiting(ledger: LedgerReader, task: Task, wanted: str) -> Execution:
    execution = ledger.view().execution(task.execution) if task.execution else None
    if execution is None or not execution.approval:
        raise CtoError(
            f"nobody was asked to approve {task.spec.id}: it is {task.state.value}",
            "`git cto approvals` lists the changes that wait for approval",
        )
    if wanted and len(wanted) < _SHORTEST:
        raise CtoError(
            f"{wanted!r} is too short to name a change",
            f"give at least {_SHORTEST} digits, as `git cto approvals` shows them",
            ExitCode.USAGE,
        )
    if not execution.change.startswith(wanted):
        raise CtoError(
            f"{task.spec.id} is now change {execution.change[:_SHOWN]}, not {wanted[:_SHOWN]}",
            f"look at it anew: `git show {execution.work[:_SHOWN]}`",
        )
    return execution


def _ask(app: App, execution: Execution, what: str) -> None:
    from gitcto.git.process import trusted
    from gitcto.git.trees import stat

    for line in stat(trusted(app.repository), execution.base, execution.work).splitlines():
        app.output.talk(visible(line))
    if not click.confirm(f"Answer for {what}?", err=True):
        raise CtoError("nothing was recorded", f"look at it: `git show {execution.work[:_SHOWN]}`")


def _decision(app: App, ledger: Ledger, task: Task, execution: Execution) -> Decision:
    """Decide by the policy that the team adopted: a changed file counts with the next run."""
    from gitcto.policy.decisions import Attempt, decide_approval

    attempt = Attempt(
        actor=app.host.actor,
        team=ledger.team,
        task=task.spec,
        execution=execution.id,
        epoch=execution.epoch,
    )
    policy = _adopted(app, ledger)
    made = decide_approval(policy, attempt, change=execution.change, holder=execution.holder)
    if made.verdict != "allow":
        raise CtoError(
            f"{made.reason} ({made.rule})",
            "let somebody do it whom policy.toml names, or change policy.toml and run again",
            ExitCode.POLICY,
        )
    return made


def _adopted(app: App, ledger: Ledger) -> Policy:
    from gitcto.git.objects import Objects
    from gitcto.runtime.proving.adopted import adopted_policy

    known = ledger.view().team
    policy = adopted_policy(Objects(app.repository), ledger, known.policy if known else "")
    if isinstance(policy, str):
        raise CtoError(
            f"the policy that team {ledger.team} adopted cannot be read: {policy}",
            "run `git cto doctor`",
        )
    return policy
