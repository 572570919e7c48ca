"""What a planted bug is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A bug. ``swaps`` are (file, old text, new text), each old text once in its file.

    ``by`` is the detector that is cheapest to find it; ``harmless`` says why none has to.
    """

    name: str
    swaps: tuple[tuple[str, str, str], ...]
    by: str = ""
    harmless: str = ""
