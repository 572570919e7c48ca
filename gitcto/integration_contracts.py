"""The contract of what opens pull requests elsewhere, and the values that cross it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gitcto.git.process import Git
    from gitcto.git.remote import Remote


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request to open for one landed task.

    ``key`` is the same whoever asks, and as often as it is asked, for the same task at the same
    ``commit``. ``head`` is the full name that the branch with the commit is to have at the
    ``remote``, ``base`` the branch there that it is to go into. ``body`` is Markdown. ``git``
    reads and writes objects of the repository.
    """

    key: str
    task: str
    title: str
    body: str
    commit: str
    head: str
    base: str
    remote: Remote
    git: Git


class PullRequests(Protocol):
    """Opens pull requests somewhere. Constructed without arguments.

    Whoever asks may be killed at any moment and ask again, so each must be found by its key.
    """

    def find(self, request: PullRequest) -> str:
        """Return where the pull request with this key is, as one line; nothing when there is none.

        Closed ones count. Raises ``CtoError`` when that cannot be known.
        """

    def open(self, request: PullRequest) -> str:
        """Open the pull request so that it carries its key, and return where it is.

        Called after :meth:`find` found none. Raises ``CtoError``, also when it is there already.
        """
