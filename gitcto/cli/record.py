"""Recording a command in a ledger from the command line: a refusal becomes an error with a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.model.commands import Command, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.store.ledger import Ledger, Recorded

_HINTS = {
    "no_team": "make the team with `git cto init`",
    "bad_team_name": "use lower-case letters, digits and hyphens, 40 at most",
    "no_task": "`git cto status` lists the tasks",
    "not_ended": "`git cto show TASK` says what it is doing; only an ended task is retried",
    "unknown_events": "a newer git-cto wrote to this ledger: upgrade, then run the command again",
    "not_held": "`git cto lease list` says who holds what",
    "not_requested": "`git cto approvals` lists the changes that wait for approval",
    "other_change": "look at the change as it is now: `git cto approvals`",
    "expired": "`git cto run` takes it out; then ask anew with `git cto retry TASK`",
    "already_approved": "somebody else must approve it too, or `git cto deny` takes yours back",
    "not_unclear": "`git cto effects list` says how it stands",
    "no_mail": "`git cto mail inbox --all` lists the messages",
    "bad_mail": "send what is long with `--artifact FILE`",
    "task_done": "write to another task, or add a task for it with `git cto plan`",
    "no_worker": "without `--interrupt` or `--stop` it waits for the next attempt",
    "mail_dead": "`git cto mail requeue NUMBER` has it delivered after all",
    "not_yours": "its worker does; `git cto mail drop NUMBER` takes it back",
    "not_dead": "`git cto mail dead` lists the dead ones",
    "out_of_order": "report this: the plan was put in order before it was recorded",
}


def record(
    ledger: Ledger, command: Command, attachments: Mapping[str, str] | None = None
) -> Recorded:
    """Record ``command`` or raise ``CtoError`` (exit 1) with the refusal's reason."""
    answer = ledger.transact(command, attachments or {})
    if isinstance(answer, Refusal):
        raise refused(answer)
    return answer


def refused(refusal: Refusal) -> CtoError:
    """Return a refusal as an error for a person (exit 1)."""
    hint = _HINTS.get(refusal.code, "`git cto status` and `git cto log` show how things stand")
    return CtoError(refusal.detail, hint, ExitCode.REFUSED)
