"""Which providers a policy lets work, and in what kind of repository."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilitySettings:
    """Which providers may work here: the ``repository``'s class, and the gated ``engines`` allowed.

    ``admission`` says whose program a person must have admitted: that of ``backends``, or of
    ``all``, which are also plain commands.
    """

    repository: str
    engines: tuple[str, ...]
    admission: str
