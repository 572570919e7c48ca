"""Why a worker is not started, where that has a reason of its own."""

from __future__ import annotations

from gitcto.errors import CtoError


class Unstartable(CtoError):  # noqa: N818  # named for what it is
    """No worker may be started; ``reason`` is the code that its attempt fails with."""

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.reason = reason
