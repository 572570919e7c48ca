"""The contract of what opens pull requests, as tests on a real repository and a real remote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError
from gitcto.integration_contracts import PullRequest
from gitcto.testing.kit import Contract, must, must_be_a_line
from gitcto.testing.repo import CtoRepo

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.integration_contracts import PullRequests


class PullRequestsContract(Contract):
    """Subclass it and override :meth:`integration`."""

    @pytest.fixture
    def integration(self) -> PullRequests:
        """Return the integration under test."""
        raise NotImplementedError("override the fixture `integration`")

    @pytest.fixture
    def world(self, tmp_path: Path) -> CtoRepo:
        """Return a repository with two commits, and ``origin``, a bare one beside it."""
        repo = CtoRepo(tmp_path / "world")
        repo.commit("a.txt", "one\n").commit("a.txt", "two\n")
        repo.git("init", "--quiet", "--bare", str(tmp_path / "hub.git"))
        repo.git("remote", "add", "origin", str(tmp_path / "hub.git"))
        return repo

    def request(self, world: CtoRepo, key: str = "k1", commit: str = "HEAD") -> PullRequest:
        """Return a request for a pull request of one commit."""
        from gitcto.git.process import trusted
        from gitcto.git.remote import open_remote
        from gitcto.git.repository import discover

        repository = discover(world.path, world.environment)
        return PullRequest(
            key=key,
            task="T1",
            title="T1: do it",
            body="# T1\n\nWhy, and what proves it.\n",
            commit=world.oid(commit),
            head="refs/heads/cto/pr/T1",
            base="refs/heads/main",
            remote=open_remote(repository, "origin", world.environment),
            git=trusted(repository),
        )

    def test_it_finds_what_it_opened(self, integration: PullRequests, world: CtoRepo) -> None:
        """Nothing is there before; afterwards it is, where :meth:`open` said."""
        request = self.request(world)
        must(integration.find(request) == "", "find() must give nothing before one is opened")
        url = integration.open(request)
        must_be_a_line(url, "the address")
        must(url, "open() must say where the pull request is")
        must(integration.find(request) == url, "find() must give what open() opened")

    def test_it_opens_one_for_a_key(self, integration: PullRequests, world: CtoRepo) -> None:
        """Opening twice, as two clones might at once, opens one; the loser is told or adopts it."""
        request = self.request(world)
        url = integration.open(request)
        again = ""
        try:
            again = integration.open(replace(request, body="another text\n"))
        except CtoError as error:
            must(error.hint, "a refusal must say what to do about it")
        must(again in {"", url}, "a second pull request was opened for the same key")
        must(integration.find(request) == url, "the first pull request is no longer found")

    def test_keys_do_not_mix(self, integration: PullRequests, world: CtoRepo) -> None:
        """Another key is another pull request."""
        integration.open(self.request(world, "k1"))
        must(integration.find(self.request(world, "k2")) == "", "a key found another's")

    def test_it_moves_nothing_here(self, integration: PullRequests, world: CtoRepo) -> None:
        """No ref and no file of the user's checkout changes."""
        before = world.git("for-each-ref"), world.git("status", "--porcelain", "--branch")
        integration.open(self.request(world))
        after = world.git("for-each-ref"), world.git("status", "--porcelain", "--branch")
        must(after == before, "opening a pull request moved a ref or touched the checkout")
