"""Rooms as linked worktrees: the public contract, whose branches are whose, what a kill leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_worktree.room import WorktreeRoom

from gitcto.api import checkout
from gitcto.testing import Capabilities, WorkspaceContract

if TYPE_CHECKING:
    from gitcto.api import RoomRequest
    from gitcto.testing import CtoRepo


@pytest.mark.timeout(300)  # it is killed at each line in turn, in a process of its own
class TestWorktreeRoom(WorkspaceContract):
    """The conformance kit, and what is special to worktrees."""

    capabilities = Capabilities(own_refs=False)

    @pytest.fixture
    def workspace(self) -> WorktreeRoom:
        return WorktreeRoom()

    def test_a_branch_that_exists_is_never_touched(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        world.git("branch", room_request.branch, "HEAD~1")
        kept = world.git("rev-parse", room_request.branch)
        make(workspace, room_request)
        head = world.git("-C", str(room_request.path), "symbolic-ref", "--short", "HEAD")
        assert head == f"{room_request.branch}-2"
        workspace.release(room_request.repository, room_request.git, room_request.path)
        branches = world.git("for-each-ref", "--format=%(refname:short)", "refs/heads/cto")
        assert branches == room_request.branch
        assert world.git("rev-parse", room_request.branch) == kept

    def test_a_branch_the_worker_switched_to_is_kept(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        make(workspace, room_request)
        world.git("branch", "theirs")
        world.git("-C", str(room_request.path), "checkout", "-q", "theirs")
        workspace.release(room_request.repository, room_request.git, room_request.path)
        assert world.git("rev-parse", "theirs") == room_request.base

    def test_somebody_elses_worktree_is_kept(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        theirs = room_request.path.parent / "theirs"
        world.git("worktree", "add", "-q", "--detach", str(theirs))
        world.git("worktree", "add", "-q", "--detach", str(theirs.with_name("gone")))
        theirs.with_name("gone").rename(theirs.with_name("moved"))
        before = world.git("worktree", "list", "--porcelain")
        make(workspace, room_request)
        workspace.release(room_request.repository, room_request.git, room_request.path)
        assert world.git("worktree", "list", "--porcelain") == before

    def test_what_a_cut_short_removal_leaves_is_cleared(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        make(workspace, room_request)
        entry = world.path / ".git/worktrees/one.room"
        left = entry.rename(entry.with_name(".one.room.removing"))
        (left / "gitdir").unlink()
        workspace.release(room_request.repository, room_request.git, room_request.path)
        assert not left.exists()
        assert world.git("for-each-ref", "refs/heads/cto") == ""
        assert world.git("fsck", "--no-dangling") == ""

    def test_a_branch_that_was_only_planned_may_be_somebody_elses(
        self, workspace: WorktreeRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        make(workspace, room_request)
        entry = world.path / ".git/worktrees/one.room"
        (entry / "cto-branch").rename(entry / "cto-branch.planned")
        world.git("update-ref", f"refs/heads/{room_request.branch}", "HEAD~1")
        workspace.release(room_request.repository, room_request.git, room_request.path)
        assert not entry.exists()
        assert world.git("rev-parse", room_request.branch) == world.git("rev-parse", "HEAD~1")


def make(workspace: WorktreeRoom, request: RoomRequest) -> None:
    """Check the files out, as the core does, and make them a room."""
    checkout(request.git, request.base, request.path, request.index)
    workspace.create(request)
