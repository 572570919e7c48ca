"""What the engine looks at in a step that was started."""

from __future__ import annotations

from typing import Protocol

from gitcto.model.agent_records import Fault


class Ran(Protocol):
    """A step of an attempt, as the ledger keeps it."""

    @property
    def number(self) -> int:
        """Its place, from 1."""

    @property
    def name(self) -> str:
        """The strategy's step."""

    @property
    def provider(self) -> str:
        """Who ran it; nothing when nobody could."""

    @property
    def state(self) -> str:
        """``running`` or ``ended``."""

    @property
    def fault(self) -> Fault | None:
        """Why it is no success, if it is none."""

    @property
    def verdict(self) -> str:
        """Nothing, ``approve``, ``reject`` or ``none``."""

    @property
    def change(self) -> str:
        """The id of the change that a writer made or a judge read."""

    @property
    def chosen(self) -> str:
        """The seat that an adjudicator chose."""
