"""What every part of a run works with, made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitcto.effects import Effects
from gitcto.git.objects import Objects, Signature
from gitcto.git.process import Git
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository
from gitcto.plugins import Plugins
from gitcto.policy.records import Policy
from gitcto.runtime.core.installed import Installed
from gitcto.runtime.host.isolation import Isolation
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.host.toolchain import Toolchains
from gitcto.store.ledger import Ledger
from gitcto.store.shared import Shared

COMMITTER_NAME = "git-cto"
COMMITTER_EMAIL = "git-cto@localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A run's collaborators. ``holder`` names this orchestrator in leases, ``clone`` the clone.

    ``shared`` is the remote whose ledger is the authority, where policy wants one.

    ``environ`` is the environment git-cto was started in, ``worker_env`` what every worker and
    gate gets of it, ``max_workers`` the limit of this run, ``isolation`` the sandbox of
    everything that is not ours; None where nothing is started; ``toolchains`` what gates' toolchain
    commands said in this run; ``engines`` the gated engines that a person asked for, ``found`` what
    was found of each provider when it was looked at last. Only the ledger belongs to one thread,
    the loop's; everything else may be used from jobs.
    """

    repository: Repository
    layout: Layout
    policy: Policy
    plugins: Plugins
    effects: Effects
    ledger: Ledger
    objects: Objects
    refs: Refs
    git: Git
    environ: Mapping[str, str]
    worker_env: Mapping[str, str]
    holder: str
    max_workers: int
    clone: str = ""
    shared: Shared | None = None
    isolation: Isolation | None = None
    toolchains: Toolchains = field(default_factory=Toolchains)
    engines: tuple[str, ...] = ()
    found: dict[str, Installed] = field(default_factory=dict)

    def committer(self, seconds: int) -> Signature:
        """Return git-cto's own signature at a time in seconds since the epoch."""
        return Signature(COMMITTER_NAME, COMMITTER_EMAIL, seconds)
