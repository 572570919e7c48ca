"""What is known of the providers on this machine, as the loop is told it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One provider of policy, as the core found it; nothing in it is a claim that allows anything.

    ``plugin`` is empty when none provides it, ``shipped`` whether that plugin is part of git-cto;
    ``unavailable`` why it cannot work here. ``digest`` is the hash of ``files``, which would be
    executed; ``version``, ``licence`` and ``source`` are what the program says of itself.
    """

    plugin: str = ""
    shipped: bool = False
    gated: bool = False
    unavailable: str = ""
    digest: str = ""
    files: tuple[PurePath, ...] = ()
    version: str = ""
    licence: str = ""
    source: str = ""


class Agents(Protocol):
    """The providers of a run. ``engines`` are the gated ones that a person asked for by name."""

    engines: tuple[str, ...]

    def found(self, names: Collection[str]) -> Mapping[str, Installed]:
        """Return what is installed of providers; each is looked at once in a run."""

    def bounded(self, boundary: Collection[str], base: str) -> str:
        """Return the first entry of a boundary that this repository lies in or holds, or nothing.

        ``base`` is the commit that is worked on.
        """
