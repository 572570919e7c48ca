"""The merge queue's facts: each is an event of the ledger before it is one of the queue."""

from __future__ import annotations

from collections.abc import Mapping

from gitcto.model.body import Body
from gitcto.model.commands import Refusal, SingleCommand
from gitcto.model.decide import decide
from gitcto.model.records import TaskSpec
from gitcto.queue.facts import fold_events
from gitcto.queue.records import Fact
from gitcto.queue.state import Queue, after
from gitcto.runtime.core.book import Book


class Pen:
    """The queue as the ledger has it, and as it will be once what is noted was recorded.

    What is noted shows in ``draft`` at once, and is recorded in one transaction when
    :meth:`record` is called; nothing may be done about it before.
    """

    def __init__(self, book: Book) -> None:
        self.queue = Queue()
        self.draft = Queue()
        self._book = book
        self._noted: list[SingleCommand] = []
        book.followers.append(self._follow)

    def note(self, *commands: SingleCommand) -> Refusal | None:
        """Note commands to be recorded together with others, unless they would be refused."""
        state, now_ms = self._book.state, self._book.world.effects.now_ms()
        for command in commands:
            answer = decide(state, command, now_ms)
            if isinstance(answer, Refusal):
                return answer
            self._noted.append(command)
            self.draft = fold_events(answer, self._specs(), self.draft)
        return None

    def record(
        self, *more: SingleCommand, attachments: Mapping[str, str] | None = None
    ) -> Refusal | None:
        """Record what was noted, and ``more`` with it; a refusal of ``more`` is returned.

        Then what was noted is recorded without.
        """
        noted, self._noted = self._noted, []
        refusal = None
        if noted or more:
            refusal = self._book.record(*noted, *more, attachments=attachments)
        if refusal is not None:
            for command in noted:  # somebody else recorded something meanwhile; what can be, is
                refused = self._book.record(command)
                if refused is not None:
                    self._book.listener.note(f"not recorded: {refused.detail}")
        self.draft = self.queue
        return refusal if more else None

    def take(self, fact: Fact) -> None:
        """Take a fact that another process recorded."""
        self.record()
        self.queue = self.draft = after(self.queue, fact)

    def _follow(self, body: Body) -> None:
        self.queue = fold_events((body,), self._specs(), self.queue)
        if not self._noted:
            self.draft = self.queue

    def _specs(self) -> Mapping[str, TaskSpec]:
        return _Specs(self._book)


class _Specs(dict[str, TaskSpec]):
    """Looks up what an execution is an attempt at."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book

    def __missing__(self, execution: str) -> TaskSpec:
        state = self._book.state
        return state.tasks[state.executions[execution].task].spec
