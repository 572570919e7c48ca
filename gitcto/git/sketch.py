"""Git for guesses: it reads a repository's objects, and what it writes is thrown away."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.git.process import trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

PATIENCE_S = 60.0
"""How long one git process may take (seconds)."""


@contextmanager
def sketch(repository: Repository) -> Iterator[tuple[Git, Path]]:
    """Yield git as :func:`gitcto.git.process.trusted` gives it, and a private directory.

    Objects that it makes lie in that directory, which is removed in the end; the repository's own
    are only read. Raises ``CtoError`` when the git directory cannot be written.
    """
    git = trusted(repository)
    with (
        storage_errors(f"use {repository.cto_dir}"),
        tempfile.TemporaryDirectory(prefix="sketch.", dir=repository.cto_dir) as private,
    ):
        objects = Path(private) / "objects"
        (objects / "info").mkdir(parents=True)
        (objects / "info" / "alternates").write_text(f"{repository.objects}\n", encoding="utf-8")
        # Nothing of it need survive, and who is looked at may keep git waiting for ever.
        options = (*git.options, "core.fsync=none")
        yield replace(git, objects=objects, options=options, timeout_s=PATIENCE_S), Path(private)
