"""Rooms as clones: the public contract, forty at once, and what a room must not have."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from gitcto_clone.room import CloneRoom

from gitcto.api import CtoError
from gitcto.testing import WorkspaceContract

if TYPE_CHECKING:
    from gitcto.api import RoomRequest
    from gitcto.testing import CtoRepo


class TestCloneRoom(WorkspaceContract):
    """The conformance kit, and what is special to clones."""

    @pytest.fixture
    def workspace(self) -> CloneRoom:
        return CloneRoom()

    def test_forty_at_once(
        self, workspace: CloneRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        rooms = room_request.path.parent
        wanted = [dataclasses.replace(room_request, path=rooms / str(n)) for n in range(40)]
        with ThreadPoolExecutor(40) as pool:
            list(pool.map(workspace.create, wanted))
            assert len(list(rooms.glob("*/README"))) == 40
            list(pool.map(lambda one: workspace.remove(one.repository, one.git, one.path), wanted))
        assert list(rooms.iterdir()) == []
        assert world.git("worktree", "list").count("\n") == 0

    def test_it_borrows_objects_and_nothing_else(
        self, workspace: CloneRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        world.git("tag", "secret")
        world.git("config", "remote.origin.url", "https://user:token@example.invalid")
        workspace.create(room_request)
        room = str(room_request.path)
        assert world.git("-C", room, "for-each-ref", "--format=%(refname)") == (
            f"refs/heads/{room_request.branch}"
        )
        assert world.git("-C", room, "remote") == ""
        assert not list((room_request.path / ".git/hooks").glob("*"))
        assert world.git("-C", room, "count-objects").startswith("0 objects")

    def test_a_place_that_is_taken_is_refused_and_left_alone(
        self, workspace: CloneRoom, room_request: RoomRequest
    ) -> None:
        room_request.path.mkdir()
        (room_request.path / "theirs").write_text("x")
        with pytest.raises(CtoError, match="File exists"):
            workspace.create(room_request)
        assert (room_request.path / "theirs").exists()

    def test_an_interrupted_removal_is_finished(
        self, workspace: CloneRoom, room_request: RoomRequest
    ) -> None:
        workspace.create(room_request)
        room_request.path.rename(room_request.path.with_name(".one.removing"))
        workspace.remove(room_request.repository, room_request.git, room_request.path)
        assert list(room_request.path.parent.iterdir()) == []

    def test_a_room_of_a_shallow_repository(
        self, workspace: CloneRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        git_dir = world.path / ".git"
        (git_dir / "shallow").write_text(f"{room_request.base}\n")
        workspace.create(room_request)
        assert world.git("-C", str(room_request.path), "rev-list", "--count", "HEAD") == "1"
