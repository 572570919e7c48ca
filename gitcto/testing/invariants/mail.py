"""Team mail: S9. What was sent is acted on, given up with a reason, or still under way.

Told from the events alone: each message once, in the order of its route, to whoever holds the lease
of the task it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitcto.model import events as ev
from gitcto.model import mail_events as me
from gitcto.model.codec import Event
from gitcto.model.mail_events import numbers_in
from gitcto.testing.invariants.leases import Found

UNDER_WAY, ACTED, DEAD = "under way", "acted on", "dead"


class Mail:
    """Follows messages by number; ``where`` says what has become of each."""

    def __init__(self) -> None:
        self.where: dict[int, str] = {}
        self._routes: dict[int, tuple[str, str]] = {}
        self._open: dict[tuple[str, str], list[int]] = {}
        self._keys: set[tuple[str, str, str]] = set()
        self._with: dict[int, str] = {}
        self._ends: dict[str, list[int]] = {}
        self._leases: dict[str, tuple[str, int]] = {}
        self._current: dict[str, str] = {}
        self._done: set[str] = set()

    def those(self, where: str) -> frozenset[int]:
        """Return the messages that are under way, acted on or dead."""
        return frozenset(number for number, is_ in self.where.items() if is_ == where)

    def see(self, event: Event) -> Iterator[Found]:
        """Check one event of the mail; of others, only who works on what is remembered."""
        for problem in self._follow(event.body):
            yield "S9", problem

    def end(self, *, quiescent: bool) -> Iterator[Found]:
        """Check that nothing is unaccounted for: at rest, nothing waits for a task that is done."""
        for number in sorted(self.those(UNDER_WAY)) if quiescent else ():
            task = self._routes[number][1].removeprefix("task:")
            if task in self._done:
                yield "S9", f"mail {number} waits for {task}, which is done"

    def _follow(self, body: object) -> Iterator[str]:  # noqa: C901 - one line a kind
        match body:
            case ev.ExecutionLeased():
                self._leases[body.execution] = (body.task, body.epoch)
                self._current[body.task] = body.execution
            case ev.ExecutionFailed() | ev.LandingDone():
                self._over(body)
            case ev.WorkHarvested():
                yield from self._harvested(body.execution)
            case me.MailSent():
                yield from self._sent(body)
            case me.MailDelivered():
                yield from self._delivered(body)
            case me.MailShown():
                yield from self._token(body.execution, body.epoch)
                yield from self._had(body.execution, numbers_in(body.mails), "shown")
            case me.MailActed():
                numbers = numbers_in(body.mails)
                yield from self._had(body.execution, numbers, "acted on") if body.execution else ()
                yield from self._end(numbers, ACTED)
            case me.MailDied():
                yield from self._end(numbers_in(body.mails), DEAD)
            case me.MailRequeued():
                yield from self._again(numbers_in(body.mails))
            case me.MailDeferred():
                if self.where.get(body.mail) != UNDER_WAY:
                    yield f"mail {body.mail} is deferred and was {self._was(body.mail)}"

    def _over(self, body: ev.ExecutionFailed | ev.LandingDone) -> None:
        task, _ = self._leases.get(body.execution, ("", 0))
        if self._current.get(task) == body.execution:
            self._current.pop(task)
        if isinstance(body, ev.LandingDone):
            self._done.add(task)

    def _harvested(self, execution: str) -> Iterator[str]:
        for number in self._ends.get(execution, ()):
            if self.where[number] == UNDER_WAY:
                yield f"{execution} is harvested though mail {number} ended it"

    def _sent(self, e: me.MailSent) -> Iterator[str]:
        route = (e.sender, e.recipient)
        if e.mail != len(self.where) + 1:
            yield f"mail {e.mail} is sent after mail {len(self.where)}"
        if (*route, e.key) in self._keys:
            yield f"mail {e.mail} was sent before, with key {e.key!r}"
        self._keys.add((*route, e.key))
        self.where[e.mail] = UNDER_WAY
        self._routes[e.mail] = route
        self._open.setdefault(route, []).append(e.mail)
        if e.ends:
            self._ends.setdefault(e.ends, []).append(e.mail)

    def _delivered(self, e: me.MailDelivered) -> Iterator[str]:
        yield from self._token(e.execution, e.epoch)
        task, _ = self._leases.get(e.execution, ("", 0))
        numbers = numbers_in(e.mails)
        for number in numbers:
            if self.where.get(number) != UNDER_WAY:
                yield f"mail {number} is delivered and was {self._was(number)}"
                continue
            if self._routes[number][1] != f"task:{task}":
                yield f"mail {number} to {self._routes[number][1]} is delivered to {task}"
            yield from self._overtaken(number, e.execution, numbers)
            self._with[number] = e.execution

    def _overtaken(self, number: int, execution: str, along: Iterable[int]) -> Iterator[str]:
        for earlier in self._open[self._routes[number]]:
            here = earlier in along or self._with.get(earlier) == execution
            if earlier < number and not here:
                yield f"mail {number} is delivered to {execution} before mail {earlier}"

    def _had(self, execution: str, numbers: Iterable[int], what: str) -> Iterator[str]:
        for number in numbers:
            if self._with.get(number) != execution:
                yield f"mail {number} is {what} by {execution}, which does not have it"

    def _end(self, numbers: Iterable[int], where: str) -> Iterator[str]:
        for number in numbers:
            if self.where.get(number) != UNDER_WAY:
                yield f"mail {number} is {where} and was {self._was(number)}"
                continue
            self.where[number] = where
            self._open[self._routes[number]].remove(number)

    def _again(self, numbers: Iterable[int]) -> Iterator[str]:
        for number in numbers:
            if self.where.get(number) != DEAD:
                yield f"mail {number} is queued again and was {self._was(number)}"
                continue
            self.where[number] = UNDER_WAY
            self._with.pop(number, None)
            self._open[self._routes[number]].append(number)

    def _token(self, execution: str, epoch: int) -> Iterator[str]:
        task, held = self._leases.get(execution, ("", 0))
        if self._current.get(task) != execution or held != epoch:
            yield f"mail is handed to {execution} at token {epoch}, which holds no such lease"

    def _was(self, number: int) -> str:
        return self.where.get(number, "never sent")
