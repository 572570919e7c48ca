"""The contract of what does things outside, as tests on a real repository and a real remote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from gitcto.errors import CtoError
from gitcto.integration_contracts import EffectRequest, Receipt
from gitcto.testing.kit import Contract, must, must_be_a_line
from gitcto.testing.repo import CtoRepo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.integration_contracts import OutsideEffect


class OutsideEffectContract(Contract):
    """Subclass it, override :meth:`integration`, and :meth:`request` for what it needs besides.

    ``effect`` is what it is asked to do; ``lookup`` what its descriptor says. Every test gets a
    new :meth:`world`, and expects a place outside where nothing has been done yet.
    """

    effect: ClassVar[str] = "pull-request"
    lookup: ClassVar[str] = "exact"

    @pytest.fixture
    def integration(self) -> OutsideEffect:
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

    def host_env(self, world: CtoRepo) -> Mapping[str, str]:
        """Return the environment that the integration finds its credentials in."""
        return world.environment

    def take_back(self, world: CtoRepo, request: EffectRequest, receipt: Receipt) -> bool:
        """Close what was done, as a person would; False (as here) when that cannot be."""
        del world, request, receipt
        return False

    def request(self, world: CtoRepo, key: str = "k1", commit: str = "HEAD") -> EffectRequest:
        """Return a request about one commit."""
        from gitcto.git.process import trusted
        from gitcto.git.remote import open_remote
        from gitcto.git.repository import discover

        repository = discover(world.path, world.environment)
        return EffectRequest(
            key=key,
            effect=self.effect,
            task="T1",
            title="T1: do it",
            body="# T1\n\nWhy, and what proves it.\n",
            commit=world.oid(commit),
            facts={"head": "refs/heads/cto/pr/T1", "base": "refs/heads/main"},
            remote=open_remote(repository, "origin", world.environment),
            git=trusted(repository),
            host_env=self.host_env(world),
        )

    def test_it_gives_a_receipt(self, integration: OutsideEffect, world: CtoRepo) -> None:
        """What was done has an address, in one line."""
        receipt = integration.send(self.request(world))
        must(type(receipt) is Receipt, "send() must return a Receipt")
        must(receipt.url, "the receipt must say where it is")
        must_be_a_line(receipt.url, "the receipt's url")
        must_be_a_line(receipt.id, "the receipt's id")

    def test_it_finds_what_it_sent(self, integration: OutsideEffect, world: CtoRepo) -> None:
        """Nothing is there before; afterwards it is, where :meth:`send` said, for anybody."""
        self._needs_lookup()
        request = self.request(world)
        must(integration.find(request) is None, "find() must give None before anything was sent")
        receipt = integration.send(request)
        must(integration.find(request) == receipt, "find() must give what send() gave")
        other = replace(request, title="T1: another", body="another text\n")
        must(integration.find(other) == receipt, "find() must go by the key, and not by the text")
        stranger = type(integration)()
        must(stranger.find(request) == receipt, "find() must not depend on what sent it")

    def test_a_key_is_done_once(self, integration: OutsideEffect, world: CtoRepo) -> None:
        """Sent twice, as two clones might at once, it is there once, or the first stays found."""
        self._needs_lookup()
        request = self.request(world)
        receipt = integration.send(request)
        try:
            integration.send(replace(request, body="another text\n"))
        except CtoError as error:
            must(error.hint, "a refusal must say what to do about it")
        must(integration.find(request) == receipt, "the first one is no longer found")

    def test_keys_do_not_mix(self, integration: OutsideEffect, world: CtoRepo) -> None:
        """Another key is another thing, also one that begins alike."""
        self._needs_lookup()
        integration.send(self.request(world, "k1"))
        for key in ("k2", "k", "k11", "K1"):
            must(integration.find(self.request(world, key)) is None, f"{key} found k1's")

    def test_what_was_closed_counts(self, integration: OutsideEffect, world: CtoRepo) -> None:
        """Taken back by a person, it is still found, so that nobody does it again."""
        self._needs_lookup()
        request = self.request(world)
        receipt = integration.send(request)
        if not self.take_back(world, request, receipt):
            pytest.skip("nothing can be closed there: override take_back() if it can")
        must(integration.find(request) is not None, "what was closed is no longer found")

    def test_it_moves_nothing_here(self, integration: OutsideEffect, world: CtoRepo) -> None:
        """No ref and no file of the user's checkout changes."""
        before = world.git("for-each-ref"), world.git("status", "--porcelain", "--branch")
        integration.send(self.request(world))
        after = world.git("for-each-ref"), world.git("status", "--porcelain", "--branch")
        must(after == before, "sending moved a ref or touched the checkout")

    def _needs_lookup(self) -> None:
        if self.lookup != "exact":
            pytest.skip("declared absent: look-up")
