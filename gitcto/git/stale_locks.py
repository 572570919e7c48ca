"""Locks of refs that dead processes left, cleared where nobody will write the ref again.

Whoever writes a ref of ours clears its lock himself (:mod:`gitcto.git.reflock`, whose rules hold
here too): one of our own files that nobody holds goes at once, another in our namespace when it is
old, and whatever else lies in a repository is never touched.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.git.reflock import OUR_REFS, RefLock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.git.repository import Repository


def clear_lock(repository: Repository, name: str) -> None:
    """Clear what a dead process left of a ref's lock, so that git itself can lock the ref.

    Never waits; a lock that somebody may hold stays. Raises ``CtoError``.
    """
    if os.path.lexists(repository.common_dir / f"{name}.lock"):
        with storage_errors(f"clear the lock of {name}"):
            RefLock(str(repository.common_dir), str(repository.cto_dir)).clear(name)


def clear_locks(repository: Repository) -> None:
    """Do that for every ref of ours. Raises ``CtoError``."""
    for name in sorted(_locked(repository)):
        clear_lock(repository, name)


def _locked(repository: Repository) -> Iterator[str]:
    common = repository.common_dir
    for prefix in OUR_REFS:
        for directory, _, files in os.walk(common / prefix):
            for file in files:
                if file.endswith(".lock"):
                    path = Path(directory, file).relative_to(common)
                    yield str(path).removesuffix(".lock")
