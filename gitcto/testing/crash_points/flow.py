"""What a flow is: commands of a person, and what must hold at their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitcto.testing.crash_points.world import WITNESS

Steps = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Planned:
    """A task of a flow's plan: what its worker does, attempt by attempt."""

    id: str
    attempts: tuple[Steps, ...]
    needs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    strategy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command. ``words`` may name ``{kept}``, the first work that is preserved.

    ``code`` is what it ends with undisturbed, ``again`` what else it may end with when it is done
    once more. ``at`` is the clone, ``user`` who does it. It is always killed at the moment ``dies``
    or once the file ``until`` is in its world; such a step is part of its flow's beginning.
    """

    words: tuple[str, ...]
    code: int = 0
    again: frozenset[int] = frozenset()
    at: str = "a"
    user: str = "ada"
    dies: str = ""
    until: str = ""

    @property
    def always_dies(self) -> bool:
        """Tell whether being killed is this step's part in the flow."""
        return bool(self.dies or self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A way through the product, and what must hold at its end.

    ``done`` are the tasks that must have landed, once each; ``landed`` what the target then holds;
    ``after`` is done at the end and never killed; ``ends`` are files of the world that must be
    there at the end, such as an export.
    """

    name: str
    what: str
    tasks: tuple[Planned, ...]
    steps: tuple[Step, ...]
    done: tuple[str, ...]
    landed: Mapping[str, str] = field(default_factory=dict)
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    policy: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    hub: bool = False
    clones: tuple[str, ...] = ("a",)
    ends: tuple[str, ...] = ()
    dropped: bool = False
    """Whether a person gives work up in it: then that need not be reachable."""
    only: tuple[str, ...] = ()
    """What the moments that are killed in it contain, where it costs more than others."""
    each: frozenset[str] = frozenset()
    """The moments at each passing of which it is killed, where each is another state of it."""
    packed: bool = False
    """Whether git has packed all refs before it begins."""
    ends_quiet: bool = True
    """Whether nothing is left to do at its end, so that everything must be cleared away."""


def write(path: str, text: str) -> tuple[Mapping[str, object], ...]:
    """Return the steps of a worker that writes a file and then says so."""
    said = f"{path}\t{text}"
    return (
        {"do": "write", "path": path, "text": text},
        {"do": "append", "path": WITNESS, "text": said},
    )


def task(name: str, *attempts: Steps, **fields: Any) -> Planned:
    """Return a task; without attempts its worker writes one file that is named like it."""
    return Planned(name, attempts or (write(name.lower(), f"{name}\n"),), **fields)


def step(line: str, **fields: object) -> Step:
    """Return a step from the words of its command, separated by spaces."""
    return Step(words=tuple(line.split()), **fields)  # type: ignore[arg-type]
