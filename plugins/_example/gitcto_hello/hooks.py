"""Plugin hello: descriptors, and one line for each landing; the work is next door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import Abilities, CommandPoint, Gate, Provider, Register, hookimpl

if TYPE_CHECKING:
    from gitcto.api import EventContext


@hookimpl
def gitcto_register_commands(register: Register[CommandPoint]) -> None:
    """Add ``git cto hello``."""
    register.add(
        CommandPoint(name="hello", summary="Greet somebody.", target="gitcto_hello.command:hello")
    )


@hookimpl
def gitcto_register_providers(register: Register[Provider]) -> None:
    """Add provider ``hello``."""
    register.add(
        Provider(
            name="hello",
            summary="Write a greeting into a file.",
            target="gitcto_hello.provider:HelloProvider",
            abilities=Abilities(streams=True),
        )
    )


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``small-change``."""
    register.add(
        Gate(
            name="small-change",
            summary="Refuse changes of too many paths.",
            target="gitcto_hello.gate:SmallChangeGate",
            deadline_s=60.0,
        )
    )


@hookimpl
def gitcto_on_event(kind: str, context: EventContext) -> None:
    """Keep the numbers of the events that landed something."""
    if kind == "landing.done":
        with (context.state_dir / "landings.txt").open("a", encoding="utf-8") as file:
            file.write(f"{context.team} {context.seq}\n")
