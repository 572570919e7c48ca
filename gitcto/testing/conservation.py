"""Whether a ledger's messages add up: sent is acted on, dead or under way, and nothing else (S9).

Written against the events alone, apart from the code that decides and evolves them, in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gitcto.model import events as ev
from gitcto.model import mail_events as mail
from gitcto.model.codec import Event
from gitcto.model.mail_events import numbers_in


class Broken(NamedTuple):
    """A rule that event number ``seq`` of the ledger breaks, and how."""

    seq: int
    detail: str


class Tally(NamedTuple):
    """Messages by what became of them at the end of a ledger, and every rule that was broken."""

    sent: frozenset[int]
    acted: frozenset[int]
    dead: frozenset[int]
    under_way: frozenset[int]
    broken: tuple[Broken, ...]


class _Book:
    def __init__(self) -> None:
        self.routes: dict[int, tuple[str, str]] = {}
        self.keys: set[tuple[str, str, str]] = set()
        self.ends: dict[int, str] = {}
        self.at: dict[int, str] = {}
        self.with_: dict[int, str] = {}
        self.open: dict[tuple[str, str], list[int]] = {}
        self.tokens: dict[str, int] = {}
        self.current: dict[str, str] = {}
        self.tasks: dict[str, str] = {}
        self.ended: set[str] = set()

    def sent(self, e: mail.MailSent) -> str:
        if e.mail != len(self.routes) + 1:
            return f"mail {e.mail} is not the number after {len(self.routes)}"
        route = (e.sender, e.recipient)
        known = (*route, e.key) in self.keys
        self.keys.add((*route, e.key))
        self.routes[e.mail] = route
        self.at[e.mail] = "under way"
        self.ends[e.mail] = e.ends
        self.open.setdefault(route, []).append(e.mail)
        return f"mail {e.mail} was sent before with key {e.key!r}" if known else ""

    def over(self, numbers: Iterable[int], what: str) -> str:
        problems = []
        for number in numbers:
            was = self.at.get(number, "never sent")
            if was != "under way":
                problems.append(f"mail {number} is {what} and was {was}")
                continue
            self.at[number] = what
            self.open[self.routes[number]].remove(number)
        return "; ".join(problems)

    def again(self, numbers: Iterable[int]) -> str:
        problems = []
        for number in numbers:
            was = self.at.get(number, "never sent")
            if was != "dead":
                problems.append(f"mail {number} is queued again and was {was}")
                continue
            self.at[number] = "under way"
            self.with_.pop(number, None)
            route = self.open[self.routes[number]]
            route.append(number)
            route.sort()
        return "; ".join(problems)

    def delivered(self, e: mail.MailDelivered) -> str:
        numbers = numbers_in(e.mails)
        problems = [self.token(e.execution, e.epoch)]
        for number in numbers:
            was = self.at.get(number, "never sent")
            if was != "under way":
                problems.append(f"mail {number} is delivered and was {was}")
                continue
            self.with_[number] = e.execution
            to = self.routes[number][1]
            if to != f"task:{self.tasks.get(e.execution, '')}":
                problems.append(f"mail {number} to {to} is delivered to {e.execution}")
            problems += [
                f"mail {number} is delivered before {earlier}"
                for earlier in self.open[self.routes[number]]
                if earlier < number
                and earlier not in numbers
                and self.with_.get(earlier) != e.execution
            ]
        return "; ".join(filter(None, problems))

    def shown(self, e: mail.MailShown) -> str:
        strange = [
            f"mail {number} is shown to {e.execution}, which never had it"
            for number in numbers_in(e.mails)
            if self.with_.get(number) != e.execution
        ]
        return "; ".join(filter(None, [self.token(e.execution, e.epoch), *strange]))

    def acted(self, e: mail.MailActed) -> str:
        numbers = numbers_in(e.mails)
        strange = [
            f"{e.execution} acted on mail {number}, which it never had"
            for number in numbers
            if e.execution and self.with_.get(number) != e.execution
        ]
        return "; ".join(filter(None, [*strange, self.over(numbers, "acted on")]))

    def token(self, execution: str, epoch: int) -> str:
        task = self.tasks.get(execution, "")
        if self.current.get(task) != execution or execution in self.ended:
            return f"{execution} does not work on {task or 'anything'} any more"
        return "" if self.tokens[execution] == epoch else f"{execution} quotes token {epoch}"

    def harvested(self, execution: str) -> str:
        for number, ended in self.ends.items():
            if ended == execution and self.at[number] == "under way":
                return f"{execution} is harvested though mail {number} ended it"
        return ""


def conserved(events: Iterable[Event]) -> Tally:
    """Return where the messages of a ledger stand, and what is wrong with how they got there."""
    book, broken = _Book(), []
    for seq, event in enumerate(events, 1):
        problem = _follow(book, event)
        if problem:
            broken.append(Broken(seq, problem))
    by_state = {
        state: frozenset(number for number, at in book.at.items() if at == state)
        for state in ("acted on", "dead", "under way")
    }
    acted, dead, under_way = by_state["acted on"], by_state["dead"], by_state["under way"]
    return Tally(frozenset(book.routes), acted, dead, under_way, tuple(broken))


def _follow(book: _Book, event: Event) -> str:  # noqa: C901 - one line a kind
    body = event.body
    match body:
        case ev.ExecutionLeased():
            book.tasks[body.execution] = body.task
            book.tokens[body.execution] = body.epoch
            book.current[body.task] = body.execution
        case ev.ExecutionFailed() | ev.LandingDone():
            book.ended.add(body.execution)
        case ev.WorkHarvested():
            return book.harvested(body.execution)
        case mail.MailSent():
            return book.sent(body)
        case mail.MailDelivered():
            return book.delivered(body)
        case mail.MailShown():
            return book.shown(body)
        case mail.MailActed():
            return book.acted(body)
        case mail.MailDied():
            return book.over(numbers_in(body.mails), "dead")
        case mail.MailRequeued():
            return book.again(numbers_in(body.mails))
        case mail.MailDeferred():
            late = book.at.get(body.mail, "never sent")
            return f"mail {body.mail} is deferred and was {late}" if late != "under way" else ""
    return ""
