"""Rooms as clones: the public contract, and what a room must not have."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from gitcto_clone.room import CloneRoom

from gitcto.api import checkout
from gitcto.git.sparse import Cone, checkout_cone
from gitcto.testing import WorkspaceContract

if TYPE_CHECKING:
    from gitcto.api import RoomRequest
    from gitcto.testing import CtoRepo


class TestCloneRoom(WorkspaceContract):
    """The conformance kit, and what is special to clones."""

    @pytest.fixture
    def workspace(self) -> CloneRoom:
        return CloneRoom()

    def test_it_borrows_objects_and_nothing_else(
        self, workspace: CloneRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        world.git("tag", "secret")
        world.git("config", "remote.origin.url", "https://user:token@example.invalid")
        checkout(room_request.git, room_request.base, room_request.path, room_request.index)
        workspace.create(room_request)
        room = str(room_request.path)
        assert world.git("-C", room, "for-each-ref", "--format=%(refname)") == (
            f"refs/heads/{room_request.branch}"
        )
        assert world.git("-C", room, "remote") == ""
        assert not list((room_request.path / ".git/hooks").glob("*"))
        assert world.git("-C", room, "count-objects").startswith("0 objects")

    def test_a_part_of_the_files_stays_a_part(
        self, workspace: CloneRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        world.commit("lib/a", "1\n").commit("lib/b", "1\n")
        cone = Cone(("src",))
        checkout_cone(room_request.git, world.oid(), room_request.path, room_request.index, cone)
        workspace.create(
            dataclasses.replace(room_request, base=world.oid(), sparse=cone.patterns())
        )
        room = str(room_request.path)
        (room_request.path / "README").write_text("edited\n")
        world.git("-C", room, "stash")
        world.git("-C", room, "checkout", "-q", "-b", "side", "HEAD~1")
        assert world.git("-C", room, "sparse-checkout", "list") == "src"
        assert not (room_request.path / "lib").exists()
        world.git("-C", room, "sparse-checkout", "add", "lib")
        assert (room_request.path / "lib/a").exists()

    def test_a_room_of_a_shallow_repository(
        self, workspace: CloneRoom, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        git_dir = world.path / ".git"
        (git_dir / "shallow").write_text(f"{room_request.base}\n")
        checkout(room_request.git, room_request.base, room_request.path, room_request.index)
        workspace.create(room_request)
        assert world.git("-C", str(room_request.path), "rev-list", "--count", "HEAD") == "1"
