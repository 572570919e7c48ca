"""The contract of what does things outside this repository, and the values that cross it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.git.process import Git
    from gitcto.git.remote import Remote


class Refused(CtoError):  # noqa: N818  # an answer from the world, not a fault of ours
    """The integration said no: what was asked for was certainly not done, and will not be."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint, ExitCode.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRequest:
    """One thing to do outside, for one task.

    ``key`` is the same whoever asks, and as often as it is asked, for the same ``effect`` of the
    same task at the same ``commit``; what is made must carry it. ``title`` is one line, ``body``
    Markdown, ``facts`` what this effect needs besides (a ``pull-request``: ``head``, the full name
    that the branch with the commit is to have, and ``base``, the branch that it is to go into).
    ``remote`` is the remote that policy names, if any; ``git`` reads and writes objects of the
    repository. ``host_env`` is the environment git-cto was started in: credentials come from there,
    and no worker ever has them.
    """

    key: str
    effect: str
    task: str
    commit: str
    title: str
    body: str
    git: Git = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    remote: Remote | None = None
    host_env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What proves that it was done: where it is, as one line, and its id there if it has one."""

    url: str
    id: str = ""


class OutsideEffect(Protocol):
    """Does things outside this repository. Constructed without arguments.

    Whoever asks may be killed at any moment and ask again, so each thing must be found by its key,
    or the descriptor says that it cannot be (``lookup="none"``) and it is sent at most once.
    """

    def find(self, request: EffectRequest) -> Receipt | None:
        """Return the receipt of what carries this key, None when there certainly is nothing.

        What was closed or taken back counts. Not called without look-up. Raises ``CtoError`` when
        it cannot be known.
        """

    def send(self, request: EffectRequest) -> Receipt:
        """Do it, so that it carries the key, and return the receipt.

        Raises :class:`Refused` for a definite no, also when it is there already. Any other
        exception (no answer, half an answer, trouble at the other end) leaves open whether it was
        done.
        """
