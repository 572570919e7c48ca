"""Pull requests as refs, under the public contract and against a real bare repository."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gitcto_bare_remote.pulls import BareRemote

from gitcto.api import Refused, RemoteFailed
from gitcto.testing import OutsideEffectContract, PluginContract

if TYPE_CHECKING:
    from gitcto.testing import CtoRepo

HEAD = "refs/heads/cto/pr/T1"


class TestPlugin(PluginContract):
    """The generic part of the conformance kit."""

    plugin = "bare-remote"


class TestBareRemote(OutsideEffectContract):
    """The conformance kit, and what lies at the remote afterwards."""

    @pytest.fixture
    def integration(self) -> BareRemote:
        return BareRemote()

    def there(self, world: CtoRepo) -> dict[str, str]:
        text = world.git("ls-remote", "--refs", "origin")
        return dict(line.split("\t")[::-1] for line in text.splitlines())

    def test_the_remote_holds_the_branch_and_the_text(
        self, integration: BareRemote, world: CtoRepo
    ) -> None:
        request = self.request(world)
        receipt = integration.send(request)
        refs = self.there(world)
        assert set(refs) == {HEAD, "refs/cto/pull/k1"}
        assert refs[HEAD] == request.commit
        assert request.remote is not None
        assert receipt.url == f"{request.remote.shown}#refs/cto/pull/k1"
        pull = refs["refs/cto/pull/k1"]
        assert world.git("show", f"{pull}:body.md") == request.body.rstrip("\n")
        assert world.git("rev-parse", f"{pull}^") == request.commit
        message = world.git("log", "-1", "--format=%B", pull)
        assert message == "T1: do it\n\nCto-Pull-Request: k1\nCto-Base: main"

    def test_a_second_one_for_the_same_key_is_refused_by_the_remote(
        self, integration: BareRemote, world: CtoRepo
    ) -> None:
        request = self.request(world)
        integration.send(request)
        before = self.there(world)
        with pytest.raises(RemoteFailed):
            integration.send(replace(request, body="another\n"))
        assert self.there(world) == before

    def test_somebody_elses_branch_is_left_alone(
        self, integration: BareRemote, world: CtoRepo
    ) -> None:
        world.git("push", "--quiet", "origin", f"HEAD^:{HEAD}")
        before = self.there(world)
        with pytest.raises(Refused) as refused:
            integration.send(self.request(world))
        assert "origin has another commit at refs/heads/cto/pr/T1" in refused.value.message
        assert self.there(world) == before

    def test_a_branch_that_holds_the_commit_already_is_taken(
        self, integration: BareRemote, world: CtoRepo
    ) -> None:
        world.git("push", "--quiet", "origin", f"HEAD:{HEAD}")
        integration.send(self.request(world))
        assert set(self.there(world)) == {HEAD, "refs/cto/pull/k1"}

    def test_both_refs_or_neither(self, integration: BareRemote, world: CtoRepo) -> None:
        hook = world.root / ".." / "hub.git" / "hooks" / "update"
        hook.write_text(f'#!/bin/sh\n[ "$1" != {HEAD} ]\n')
        hook.chmod(0o755)
        with pytest.raises(RemoteFailed):
            integration.send(self.request(world))
        assert self.there(world) == {}
