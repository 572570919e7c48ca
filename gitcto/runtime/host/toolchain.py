"""Which tools a gate's result depends on: what its toolchain command says, asked once a run."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence

from gitcto.contracts import CommandResult
from gitcto.errors import CtoError

DEADLINE_S = 60.0
"""How long a toolchain command may take (seconds)."""

_SHOWN = 200

_Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


class NoToolchainError(CtoError):
    """A toolchain command did not say what it had to."""


class Toolchains:
    """What the toolchain commands of one run said. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: dict[_Key, threading.Lock] = {}
        self._said: dict[_Key, str] = {}

    def digest(
        self, argv: Sequence[str], env: Mapping[str, str], ask: Callable[[], CommandResult]
    ) -> str:
        """Return the SHA-256 of a command's output; ``ask`` runs it, unless that was done before.

        Raises :class:`NoToolchainError` unless it ended well; then it is asked again next time.
        """
        key = (tuple(argv), tuple(sorted(env.items())))
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            if key not in self._said:
                self._said[key] = _digest(argv, ask())
            return self._said[key]


def _digest(argv: Sequence[str], result: CommandResult) -> str:
    if result.code != 0:
        ended = f"ended by {result.cause}" if result.code is None else f"exit code {result.code}"
        said = " ".join(result.output[-_SHOWN:].decode(errors="replace").split())
        raise NoToolchainError(
            f"the toolchain command {argv[0]} failed ({ended}): {said}",
            "correct `toolchain` of the gate in policy.toml, or install what it asks",
        )
    return hashlib.sha256(result.output).hexdigest()
