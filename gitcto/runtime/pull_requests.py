"""Opening one pull request for one landed task, however often it is asked for or killed.

The intent is recorded, then the integration is asked whether it has the pull request with this key,
then it is opened, then the outcome is recorded. The key knows neither attempt nor run.
"""

from __future__ import annotations

import hashlib
from typing import Any

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError, ExitCode
from gitcto.git.lock import exclusive
from gitcto.git.remote import open_remote
from gitcto.integration_contracts import PullRequest
from gitcto.model.codec import canonical
from gitcto.model.commands import Command, Refusal
from gitcto.model.queue_commands import IntendPullRequest, RecordPullRequest
from gitcto.model.queue_events import PullRequestIntended, PullRequestOpened
from gitcto.model.records import Task
from gitcto.registry import Registered
from gitcto.runtime.ask import ask
from gitcto.runtime.commits import subject
from gitcto.runtime.context import Context
from gitcto.store.reader import LedgerReader

DEADLINE_S = 660.0
"""How long an integration may take for one answer (seconds)."""

HEADS = "refs/heads/cto/pr/"
"""Where the branches of pull requests lie at the remote, each under its task's id."""


def key_of(team: str, task: Task) -> str:
    """Return the key of a landed task's pull request: the same for the same commit."""
    return hashlib.sha256(canonical([team, task.spec.id, task.commit])).hexdigest()


def opened(reader: LedgerReader, task: str, key: str = "") -> str:
    """Return where a task's last pull request is, or the one with this key; nothing if none is."""
    for stored in reader.events(task=task, newest_first=True):
        body = stored.event.body
        if isinstance(body, PullRequestOpened) and (not key or body.key == key):
            return body.url
    return ""


def open_pull_request(context: Context, task: Task, body: str) -> str:
    """Open the pull request of a landed task, or find the one that is there; return where it is.

    Raises ``CtoError``; what was intended stays recorded, and asking again looks first.
    """
    registered = _integration(context)
    key = key_of(context.layout.team, task)
    with exclusive(context.repository.cto_dir / "pull-requests.lock"):
        known = opened(context.ledger, task.spec.id, key)
        if known:
            return known
        request = _request(context, task, key, body)
        if not _intended(context.ledger, task.spec.id, key):
            _record(
                context,
                IntendPullRequest(
                    task=task.spec.id,
                    integration=registered.name,
                    key=key,
                    head=request.head,
                    base=request.base,
                ),
            )
        context.effects.crash_point("pull_request.intended")
        url = _found_or_opened(context, registered, request)
        context.effects.crash_point("pull_request.opened")
        _record(
            context,
            RecordPullRequest(task=task.spec.id, integration=registered.name, key=key, url=url),
        )
    return url


def _found_or_opened(context: Context, registered: Registered[Any], request: PullRequest) -> str:
    url = _ask(context, registered, "find", request)
    if url:
        return url
    try:
        return _ask(context, registered, "open", request)
    except CtoError:
        # Another clone may have opened it meanwhile, or the answer alone was lost.
        url = _ask(context, registered, "find", request)
        if not url:
            raise
        return url


def _ask(context: Context, registered: Registered[Any], method: str, request: PullRequest) -> str:
    answer: str | Crashed | TimedOut = ask(
        context.plugins, registered, method, request, deadline_s=DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        raise answer.error()
    return "".join(letter if letter.isprintable() else "?" for letter in answer)


def _integration(context: Context) -> Registered[Any]:
    name = context.policy.pull_requests.integration
    if not name:
        raise CtoError(
            "policy names no integration that opens pull requests",
            'write `integration = "bare-remote"` under [pull_requests] in policy.toml',
            ExitCode.POLICY,
        )
    registered = context.plugins.integrations().get(name)
    if registered is None:
        raise CtoError(
            f"policy opens pull requests by {name!r}, which no installed plugin provides",
            "install the plugin, or name another in policy.toml; `git cto plugins` lists them",
            ExitCode.PLUGIN_MISSING,
        )
    return registered


def _request(context: Context, task: Task, key: str, body: str) -> PullRequest:
    policy = context.policy
    return PullRequest(
        key=key,
        task=task.spec.id,
        title=subject(task.spec),
        body=body,
        commit=task.commit,
        head=f"{HEADS}{task.spec.id}",
        base=f"refs/heads/{policy.pull_requests.base}",
        remote=open_remote(context.repository, policy.remote.name, context.environ),
        git=context.git,
    )


def _intended(reader: LedgerReader, task: str, key: str) -> bool:
    bodies = (stored.event.body for stored in reader.events(task=task))
    return any(isinstance(body, PullRequestIntended) and body.key == key for body in bodies)


def _record(context: Context, command: Command) -> None:
    answer = context.ledger.transact(command)
    if isinstance(answer, Refusal):
        raise CtoError(answer.detail, "`git cto status` shows how things stand")
