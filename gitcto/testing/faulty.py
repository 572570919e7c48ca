"""Breaking exactly one thing of a real object, instead of patching our own functions."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faulty:
    """A wrapper that passes everything on to ``real`` except the method named by ``on``.

    That method raises ``error`` when there is one, hangs when ``hang`` is set (until
    :meth:`release`), and otherwise returns ``garbage``.
    """

    real: object
    on: str = field(kw_only=True)
    error: BaseException | None = field(default=None, kw_only=True)
    hang: bool = field(default=False, kw_only=True)
    garbage: object = field(default=None, kw_only=True)
    _released: threading.Event = field(default_factory=threading.Event, init=False)

    def __getattr__(self, name: str) -> object:
        """Return the broken method, or whatever the real object has."""
        if name == self.on:
            return self._break
        return getattr(self.real, name)

    def release(self) -> None:
        """Let every call that hangs return."""
        self._released.set()

    def _break(self, *_arguments: object, **_named: object) -> object:
        if self.error is not None:
            raise self.error
        if self.hang:
            self._released.wait()
        return self.garbage
