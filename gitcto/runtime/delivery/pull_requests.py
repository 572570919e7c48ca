"""One pull request for one landed task, as an effect outside."""

from __future__ import annotations

from gitcto.errors import CtoError, ExitCode
from gitcto.model.records import Task
from gitcto.runtime.delivery.effect_orders import Order, key_of
from gitcto.runtime.delivery.outside_effects import carry_out
from gitcto.runtime.host.context import Context
from gitcto.runtime.workspace.commits import subject
from gitcto.store.reader import LedgerReader

HEADS = "refs/heads/cto/pr/"
"""Where the branches of pull requests lie at the remote, each under its task's id."""

PULL_REQUEST = "pull-request"
"""What integrations and the ledger call this effect."""


def pull_request_key(reader: LedgerReader, task: Task) -> str:
    """Return the key of a landed task's pull request: the same for the same commit."""
    return key_of(reader, task.spec.id, PULL_REQUEST, task.commit)


def opened(task: Task) -> str:
    """Return where a task's last pull request is; nothing if there is none."""
    found = [
        each.url
        for each in task.effects.values()
        if (each.effect, each.state) == (PULL_REQUEST, "confirmed")
    ]
    return found[-1] if found else ""


def open_pull_request(context: Context, task: Task, body: str) -> str:
    """Open the pull request of a landed task, or find the one that is there; return where it is.

    Raises ``CtoError``; what was intended stays recorded, and asking again looks first.
    """
    policy = context.policy
    if not policy.pull_requests.integration:
        raise CtoError(
            "policy names no integration that opens pull requests",
            'write `integration = "bare-remote"` under [pull_requests] in policy.toml',
            ExitCode.POLICY,
        )
    order = Order(
        effect=PULL_REQUEST,
        integration=policy.pull_requests.integration,
        task=task.spec.id,
        epoch=task.epoch,
        commit=task.commit,
        title=subject(task.spec),
        body=body,
        facts={
            "head": f"{HEADS}{task.spec.id}",
            "base": f"refs/heads/{policy.pull_requests.base}",
        },
    )
    return carry_out(context, order).url
