"""The live table of a run on a terminal: who works on what, above it what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gitcto.cli import wording
from gitcto.cli.log import words
from gitcto.cli.output import visible
from gitcto.cli.views import QUIET

if TYPE_CHECKING:
    from types import TracebackType

    from gitcto.cli.app import App
    from gitcto.model.codec import Event
    from gitcto.model.state import State

_PER_SECOND = 4


class _Working(NamedTuple):
    task: str
    state: str
    attempt: str
    provider: str
    leased_ms: int
    title: str


class LiveTable:
    """A listener that redraws itself; use it as a context.

    The screen is drawn by another thread, so it is given a tuple that never changes, not the state.
    """

    def __init__(self, app: App) -> None:
        self._effects = app.effects
        self._working: tuple[_Working, ...] = ()
        self._counts = ""
        console = Console(no_color=not app.output.color_out, highlight=False, markup=False)
        self._live = Live(self, console=console, refresh_per_second=_PER_SECOND, transient=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the table away; what happened stays on the screen."""
        self._live.stop()

    def recorded(self, event: Event, state: State) -> None:
        """Write the event above the table and remember who works on what."""
        if event.kind not in QUIET:
            self._live.console.print(Text(words(state, event)))
        self._counts = wording.counts(state.team) if state.team else ""
        self._working = tuple(
            _Working(
                task=each.task,
                state=each.state.value,
                attempt=str(each.attempt),
                provider=each.provider,
                leased_ms=each.leased_ms,
                title=visible(state.tasks[each.task].spec.title),
            )
            for each in state.live()
        )

    def note(self, text: str) -> None:
        """Write it above the table."""
        self._live.console.print(Text(visible(text)))

    def __rich__(self) -> Group:
        """Return what is on the screen now."""
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for name in ("TASK", "STATE", "TRY", "WHO", "FOR", "TITLE"):
            table.add_column(name, no_wrap=True, overflow="ellipsis")
        now = self._effects.now_ms()
        for each in self._working:
            age = wording.age(each.leased_ms, now)
            cells = (each.task, each.state, each.attempt, each.provider, age, each.title)
            table.add_row(*map(Text, cells))
        return Group(Text(self._counts), table)
