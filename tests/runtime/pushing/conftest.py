"""A team's repository, and a real bare repository beside it as its remote."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gitcto.model.commands import ImportPlan, Refusal
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context
from tests.runtime.team.conftest import TeamRepo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcto.model.records import TaskSpec
    from gitcto.runtime.host.context import Context

TARGET = "refs/heads/cto/main/integration"


class Hub(TeamRepo):
    """A repository with a team and ``origin``, a bare repository at ``hub``."""

    @property
    def hub(self) -> Path:
        return self.root / "hub.git"

    @classmethod
    def make(cls, root: Path) -> Hub:
        self = super().make(root)
        assert isinstance(self, Hub)
        self.git("init", "-q", "--bare", str(self.hub))
        self.git("remote", "add", "origin", str(self.hub))
        self.policy_text += '[remote]\nname = "origin"\n'
        return self

    def plan_more(self, *tasks: TaskSpec) -> None:
        """Import further tasks."""
        with self.ledger() as ledger:
            answer = ledger.transact(ImportPlan(source="more", digest="1", tasks=tasks))
        assert not isinstance(answer, Refusal), answer

    def commit(self, name: str, parent: str = "main", where: Path | None = None) -> str:
        """Make a commit without touching a checkout, here or in another repository."""
        who = ("-c", "user.name=u", "-c", "user.email=u@x")
        place = ("-C", str(where)) if where else ()
        return self.git(*who, *place, "commit-tree", f"{parent}^{{tree}}", "-p", parent, "-m", name)

    def there(self, ref: str = TARGET) -> str:
        """Return what the remote holds at a ref, or nothing."""
        return self.git("ls-remote", str(self.hub), ref).partition("\t")[0]

    def hook(self, name: str, script: str) -> None:
        """Let the remote run a hook."""
        path = self.hub / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    @contextmanager
    def context(self, **environ: str) -> Iterator[Context]:
        self.environ |= environ
        request = self.request()
        made = make_context(request, Layout(request.repository, "main", request.rooms_root))
        with made.ledger:
            yield made


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    made = Hub.make(tmp_path)
    assert subprocess.run(["git", "-C", str(made.hub), "fsck"], check=False).returncode == 0
    return made
