"""Telling a person's terminal from the environment of a worker or a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.runtime.worker.run_files import MARKER

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_WORKERS = (MARKER, "CTO_EXECUTION", "CTO_TASK")


def refuse_worker(environ: Mapping[str, str], what: str) -> None:
    """Refuse inside a worker's or a gate's environment: nobody decides about what they made.

    :param what: what a person is to do instead, such as ``approve or deny``.
    """
    found = next((name for name in _OF_WORKERS if name in environ), "")
    if found:
        raise CtoError(
            f"this is the environment of a worker or a gate ({found} is set), not a person's",
            f"let a person {what} in a terminal of their own",
        )
