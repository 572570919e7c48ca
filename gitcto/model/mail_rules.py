"""Deciding about messages, and what an attempt is to be told. Pure.

A message to a task goes to the execution that works on it, in the order of its route, and again to
the next one as long as nobody acted on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from gitcto.model import mail_commands as cmd
from gitcto.model import mail_events as ev
from gitcto.model.commands import Refusal
from gitcto.model.mail_commands import MailCommand, MailOutcome
from gitcto.model.mail_events import MailEventBody, in_ranges
from gitcto.model.mail_records import (
    MAX_AT_ONCE,
    UNDER_WAY,
    Mail,
    MailState,
    Urgency,
    address_problem,
    content_problem,
    is_person,
    task_address,
    task_of,
)
from gitcto.model.records import WORKING_STATES, Execution, Task, TaskState
from gitcto.model.view import StateView

Answer = tuple[MailEventBody, ...] | Refusal

FLOOD = "flood"
INTERRUPTED = "interrupted"
"""Codes of refusals: a sender sent too much; a message ended an attempt before its harvest."""

TOO_OFTEN = "too many tries"
"""Why a message is dead that could not be handed over as often as policy asks."""


def mail_for(view: StateView, task: Task) -> tuple[Mail, ...]:
    """Return the messages that the next attempt at a task is told of, as they were sent.

    They are those that are under way, and those that the last attempt acted on: what it was told
    still holds, and its work may not be there any more.
    """
    return tuple(
        mail
        for mail in view.mail_to(task_address(task.spec.id))
        if mail.state in UNDER_WAY
        or (mail.state is MailState.ACTED and mail.execution == task.execution != "")
    )


def waiting_for(view: StateView, task: str) -> tuple[Mail, ...]:
    """Return what is under way to whoever works on a task, in the order in which it was sent."""
    return tuple(mail for mail in view.mail_to(task_address(task)) if mail.state in UNDER_WAY)


def order_of(waiting: Iterable[Mail], execution: str, now_ms: int) -> list[Mail]:
    """Return what to hand to an execution next, in order.

    What failed waits until its time has come, and with it whatever came later on its route.
    """
    held: set[str] = set()
    found = []
    for mail in waiting:
        if mail.is_with(execution) or mail.sender in held:
            continue
        if mail.not_before_ms > now_ms:
            held.add(mail.sender)
        else:
            found.append(mail)
    return found


def decide_mail(view: StateView, command: MailCommand) -> Answer:
    """Return the events of a command that quotes no fencing token, or why it is refused."""
    if isinstance(command, cmd.SendMail):
        return _send(view, command)
    found = _found(view, command.mails)
    if isinstance(found, Refusal):
        return found
    match command:
        case cmd.AckMail():
            return _ack(view, found, command)
        case cmd.BuryMail():
            open_ = _numbers(mail for mail in found if mail.state in UNDER_WAY)
            return (ev.MailDied(mails=open_, reason=command.reason),) if open_ else ()
        case cmd.RequeueMail():
            return _requeue(view, found)


def _send(view: StateView, c: cmd.SendMail) -> Answer:
    if view.mail_by_key(c.sender, c.recipient, c.key) is not None:
        return ()
    problem = address_problem(c.sender) or address_problem(c.recipient)
    problem = problem or content_problem(c.subject, c.body, c.artifacts, c.key)
    if problem:
        return Refusal("bad_mail", "model.mail", problem)
    if c.most and view.mail_count(c.sender) >= c.most:
        return Refusal(FLOOD, "mail.per_task", f"{c.sender} has sent {c.most} messages already")
    if c.reply_to and view.mail(c.reply_to) is None:
        return Refusal("no_mail", "model.mail", f"there is no message {c.reply_to} to answer")
    refused = _recipient(view, c)
    ends = _ended_by(view, c)
    if isinstance(refused, Refusal) or isinstance(ends, Refusal):
        return refused or ends  # type: ignore[return-value]
    fields = {name: getattr(c, name) for name in c.__struct_fields__ if name != "most"}
    # msgspec leaves out what *is* a default, not what equals it: a word from JSON is another one.
    fields["urgency"] = next(word for word in get_args(Urgency) if word == c.urgency)
    return (ev.MailSent(mail=view.last_mail() + 1, ends=ends, **fields),)


def _recipient(view: StateView, c: cmd.SendMail) -> Refusal | None:
    if c.sender == c.recipient:
        return Refusal("bad_mail", "model.mail", f"{c.sender} cannot write to itself")
    task_id = task_of(c.recipient)
    if not task_id:
        return None
    task = view.task(task_id)
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {task_id}")
    if task.state is TaskState.DONE:
        return Refusal("task_done", "model.mail", f"{task_id} is done: nobody works on it any more")
    return None


def _ended_by(view: StateView, c: cmd.SendMail) -> str | Refusal:
    """Return the execution that an urgent message ends: the one that works on its task now."""
    if c.urgency == "normal":
        return ""
    task = view.task(task_of(c.recipient))
    execution = view.execution(task.execution) if task else None
    if task is None or execution is None or execution.state not in WORKING_STATES:
        what = task.state.value if task else "no task"
        detail = f"no worker of {c.recipient} can be stopped: it is {what}"
        return Refusal("no_worker", "model.mail", detail)
    if execution.exit:
        detail = f"the worker of {c.recipient} has ended by itself"
        return Refusal("no_worker", "model.mail", detail)
    return execution.id


def interruption(view: StateView, x: Execution) -> Refusal | None:
    """Return why an attempt cannot be harvested any more: a message ended it, which is kept."""
    for mail in waiting_for(view, x.task):
        if mail.ends == x.id:
            detail = f"{x.task} was told to {mail.urgency} by mail {mail.number}"
            return Refusal(INTERRUPTED, "model.mail", detail)
    return None


def _ack(view: StateView, found: list[Mail], c: cmd.AckMail) -> Answer:
    for mail in found:
        if mail.state is MailState.DEAD:
            detail = f"message {mail.number} is dead: {mail.reason}"
            return Refusal("mail_dead", "model.mail", detail)
        ended = view.execution(mail.ends)
        done = ended is not None and ended.state not in WORKING_STATES
        if not is_person(mail.recipient) and not done:
            detail = f"message {mail.number} is for {mail.recipient}, which acts on it itself"
            return Refusal("not_yours", "model.mail", detail)
    open_ = _numbers(mail for mail in found if mail.state in UNDER_WAY)
    return (ev.MailActed(mails=open_, by=c.by, note=c.note),) if open_ else ()


def _requeue(view: StateView, found: list[Mail]) -> Answer:
    for mail in found:
        task = view.task(task_of(mail.recipient))
        if mail.state is not MailState.DEAD:
            detail = f"message {mail.number} is {mail.state.value}, not dead"
            return Refusal("not_dead", "model.mail", detail)
        if mail.urgency == "stop":
            detail = f"message {mail.number} was to stop a worker that is gone"
            return Refusal("no_worker", "model.mail", detail)
        if task is not None and task.state is TaskState.DONE:
            detail = f"message {mail.number} is for {task.spec.id}, which is done"
            return Refusal("task_done", "model.mail", detail)
    return (ev.MailRequeued(mails=_numbers(found)),) if found else ()


def decide_mail_outcome(view: StateView, x: Execution, c: MailOutcome) -> Answer:
    """Return the events of a command that quotes the task's current token."""
    if isinstance(c, cmd.DeferMail):
        return _defer(view, x, c)
    waiting = {mail.number: mail for mail in waiting_for(view, x.task)}
    named = [waiting[number] for number in c.mails if number in waiting]
    match c:
        case cmd.DeliverMail():
            return _deliver(waiting, named, x, c)
        case cmd.ShowMail():
            seen = _numbers(m for m in named if m.is_with(x.id) and m.state is not MailState.SHOWN)
            return (ev.MailShown(execution=x.id, epoch=x.epoch, mails=seen),) if seen else ()
        case cmd.ActOnMail():
            done = _numbers(m for m in named if m.is_with(x.id))
            acted = ev.MailActed(mails=done, by=task_address(x.task), note=c.note, execution=x.id)
            return (acted,) if done else ()


def _deliver(
    waiting: Mapping[int, Mail], named: list[Mail], x: Execution, c: cmd.DeliverMail
) -> Answer:
    new = {mail.number for mail in named if not mail.is_with(x.id)}
    routes = {waiting[number].sender: number for number in sorted(new)}
    for mail in waiting.values():
        last = routes.get(mail.sender, 0)
        if mail.number < last and mail.number not in new and not mail.is_with(x.id):
            detail = f"message {mail.number} goes before {last}: {mail.sender} sent it first"
            return Refusal("out_of_order", "model.mail", detail)
    if not new:
        return ()
    mails = in_ranges(tuple(new))
    return (ev.MailDelivered(execution=x.id, epoch=x.epoch, mails=mails, way=c.way),)


def _defer(view: StateView, x: Execution, c: cmd.DeferMail) -> Answer:
    mail = view.mail(c.mail)
    if mail is None or mail.state not in UNDER_WAY or mail.is_with(x.id):
        return ()
    deferred = ev.MailDeferred(
        mail=c.mail,
        execution=x.id,
        epoch=x.epoch,
        tries=mail.tries + 1,
        until_ms=c.until_ms,
        reason=c.reason,
    )
    if deferred.tries < c.max_tries:
        return (deferred,)
    return (deferred, ev.MailDied(mails=((c.mail, c.mail),), reason=f"{TOO_OFTEN}: {c.reason}"))


def _found(view: StateView, numbers: tuple[int, ...]) -> list[Mail] | Refusal:
    if len(numbers) > MAX_AT_ONCE:
        return Refusal("bad_mail", "model.mail", f"{MAX_AT_ONCE} messages at once are enough")
    found = []
    for number in dict.fromkeys(numbers):
        mail = view.mail(number)
        if mail is None:
            return Refusal("no_mail", "model.mail", f"there is no message {number}")
        found.append(mail)
    return found


def _numbers(mails: Iterable[Mail]) -> ev.Ranges:
    return in_ranges(tuple(mail.number for mail in mails))
