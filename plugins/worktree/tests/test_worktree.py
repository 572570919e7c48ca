"""Rooms as linked worktrees: the public contract, forty at once, and what a kill leaves."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from gitcto_worktree.room import WorktreeRoom

from gitcto.testing import Capabilities, WorkspaceContract

if TYPE_CHECKING:
    from gitcto.api import RoomRequest
    from gitcto.testing import CtoRepo


class TestWorktreeRoom(WorkspaceContract):
    """The conformance kit, and what is special to worktrees."""

    capabilities = Capabilities(own_refs=False)

    @pytest.fixture
    def workspace(self) -> WorktreeRoom:
        return WorktreeRoom()

    def test_forty_at_once(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        before = world.git("worktree", "list"), world.git("for-each-ref")
        rooms = room_request.path.parent
        wanted = [
            dataclasses.replace(room_request, path=rooms / str(n), branch=f"cto/main/T-{n}")
            for n in range(40)
        ]
        with ThreadPoolExecutor(40) as pool:
            list(pool.map(workspace.create, wanted))
            assert len(list(rooms.glob("*/README"))) == 40
            list(pool.map(lambda one: workspace.remove(one.repository, one.git, one.path), wanted))
        assert list(rooms.iterdir()) == []
        assert (world.git("worktree", "list"), world.git("for-each-ref")) == before
        assert not list((world.path / ".git").glob("worktrees/*"))

    def test_a_branch_that_exists_is_never_touched(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        world.git("branch", room_request.branch, "HEAD~1")
        kept = world.git("rev-parse", room_request.branch)
        workspace.create(room_request)
        head = world.git("-C", str(room_request.path), "symbolic-ref", "--short", "HEAD")
        assert head == f"{room_request.branch}-2"
        workspace.remove(room_request.repository, room_request.git, room_request.path)
        branches = world.git("for-each-ref", "--format=%(refname:short)", "refs/heads/cto")
        assert branches == room_request.branch
        assert world.git("rev-parse", room_request.branch) == kept

    def test_a_branch_the_worker_switched_to_is_kept(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        workspace.create(room_request)
        world.git("branch", "theirs")
        world.git("-C", str(room_request.path), "checkout", "-q", "theirs")
        workspace.remove(room_request.repository, room_request.git, room_request.path)
        assert world.git("rev-parse", "theirs") == room_request.base

    def test_somebody_elses_worktree_is_kept(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        theirs = room_request.path.parent / "theirs"
        world.git("worktree", "add", "-q", "--detach", str(theirs))
        world.git("worktree", "add", "-q", "--detach", str(theirs.with_name("gone")))
        theirs.with_name("gone").rename(theirs.with_name("moved"))
        before = world.git("worktree", "list", "--porcelain")
        workspace.create(room_request)
        workspace.remove(room_request.repository, room_request.git, room_request.path)
        assert world.git("worktree", "list", "--porcelain") == before

    @pytest.mark.parametrize("left", ["locked", "HEAD"])
    def test_what_a_killed_add_leaves_is_cleared(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest, left: str
    ) -> None:
        entry = world.path / ".git/worktrees" / room_request.path.name
        entry.mkdir(parents=True)
        (entry / left).write_text("initializing")
        workspace.remove(room_request.repository, room_request.git, room_request.path)
        assert not entry.exists()
        workspace.create(room_request)
        assert entry.exists()
        assert world.git("fsck", "--no-dangling") == ""
