"""What persons decided about providers: what is admitted, and how far each has come. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Mode = Literal["read", "edit"]
"""What an admitted program may be used for."""


class Admission(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A person's record of the program behind a provider.

    ``digest`` is the SHA-256 of everything that is executed (``files``), of ``version`` and under
    ``licence``; it came from ``source`` by ``command`` on day ``retrieved`` (``YYYY-MM-DD``). It
    may ``mode``: ``read``, or ``edit`` as well. ``boundary`` names what it must never see or
    change: classes of repositories, absolute paths of repositories, and globs of files.
    ``previous`` is the admission that this one replaces; ``revoked`` why it holds no more.
    """

    id: str
    provider: str
    plugin: str
    digest: str
    version: str
    licence: str
    source: str
    command: str
    retrieved: str
    files: tuple[str, ...]
    mode: Mode = "edit"
    boundary: tuple[str, ...] = ()
    previous: str = ""
    revoked: str = ""


class Staged(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The stage that a provider was brought to, while ``plugin`` ran it; ``why`` a person's words.

    ``evidence`` are the executions that proved it, ``digest`` the program that they ran.
    """

    plugin: str
    stage: str
    digest: str = ""
    evidence: tuple[str, ...] = ()
    why: str = ""


class Compared(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How one provider did in a comparison: ``landed`` of ``tasks``, in ``attempts`` in all.

    ``detail`` says what kept it from running, or from landing one.
    """

    provider: str
    plugin: str
    tasks: int
    landed: int
    attempts: int
    seconds: int = 0
    digest: str = ""
    detail: str = ""


class Comparison(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The same tasks done by several providers; ``plan`` is the SHA-256 of what they were given."""

    id: str
    plan: str
    results: tuple[Compared, ...]
