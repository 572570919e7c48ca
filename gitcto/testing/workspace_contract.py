"""The contract of a workspace (a worker's room), as tests on a real repository."""

from __future__ import annotations

import dataclasses
import inspect
import os
from typing import TYPE_CHECKING

import pytest

from gitcto.git.durable import discard
from gitcto.git.sparse import Cone, checkout_cone
from gitcto.git.trees import checkout
from gitcto.room_contracts import RoomRequest
from gitcto.testing.kills import kills
from gitcto.testing.kit import Contract, must, must_refuse
from gitcto.testing.repo import CtoRepo

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.room_contracts import RoomMaker

_HOOK = "#!/bin/sh\ntouch '{marker}'\n"


class WorkspaceContract(Contract):
    """Subclass it and override :meth:`workspace`."""

    @pytest.fixture
    def workspace(self) -> RoomMaker:
        """Return the maker of rooms under test."""
        raise NotImplementedError("override the fixture `workspace`")

    @pytest.fixture
    def world(self, tmp_path: Path) -> CtoRepo:
        """Return a repository with two commits, an edit, and a hook that must not run."""
        repo = CtoRepo(tmp_path / "world")
        repo.commit("README", "one\n").commit("src/näme.txt", "two\n")
        repo.write("README", "edited by the user\n")
        hook = repo.path / ".git" / "hooks" / "post-checkout"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK.format(marker=tmp_path / "hook-ran"), encoding="utf-8")
        hook.chmod(0o755)
        return repo

    @pytest.fixture
    def room_request(self, world: CtoRepo, tmp_path: Path) -> RoomRequest:
        """Return a request for a room at the repository's commit."""
        from gitcto.git.process import trusted
        from gitcto.git.repository import discover

        repository = discover(world.path, world.environment)
        (tmp_path / "rooms" / "one").mkdir(parents=True)
        (tmp_path / "rooms" / "two").mkdir()
        return RoomRequest(
            repository=repository,
            git=trusted(repository),
            path=tmp_path / "rooms" / "one" / "room",
            base=world.oid(),
            branch="cto/main/T-1",
            index=tmp_path / "one.index",
        )

    def test_a_room_holds_its_base(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """Every file of the base is there and nothing else, on the branch that was asked for.

        A room without refs of its own may be detached: its branch would be the user's.
        """
        _make(workspace, room_request)
        room = str(room_request.path)
        must(world.git("-C", room, "rev-parse", "HEAD") == room_request.base, "HEAD is the base")
        if self.capabilities.own_refs:
            branch = world.git("-C", room, "rev-parse", "--abbrev-ref", "HEAD")
            must(branch == room_request.branch, f"the worker sees branch {branch!r}")
        must(not world.git("-C", room, "status", "--porcelain"), "a new room is clean")
        text = (room_request.path / "README").read_text(encoding="utf-8")
        must(text == "one\n", "the room holds the base, not the user's edits")

    def test_a_worker_can_commit(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """Plain git works in the room."""
        _make(workspace, room_request)
        room = str(room_request.path)
        (room_request.path / "new").write_text("new\n", encoding="utf-8")
        world.git("-C", room, "add", "new")
        world.git("-C", room, "commit", "--quiet", "-m", "work")
        must(world.git("-C", room, "rev-parse", "HEAD^") == room_request.base, "on its base")

    def test_a_new_room_has_no_tip_but_its_base(
        self, workspace: RoomMaker, room_request: RoomRequest
    ) -> None:
        """Nothing has to be kept of a room that was only made, or that is absent."""
        absent = workspace.tips(room_request.repository, room_request.path)
        must(not absent.commits, "a room that is absent has no tips")
        _make(workspace, room_request)
        found = workspace.tips(room_request.repository, room_request.path).commits
        zero = "0" * len(room_request.base)
        must(found <= {room_request.base, zero}, f"a new room has the tips {sorted(found)}")

    def test_what_a_worker_commits_is_a_tip(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """A commit is found while its branch has it, and after HEAD was moved away from it."""
        _make(workspace, room_request)
        room = str(room_request.path)
        made = []
        for number in range(2):
            world.git("-C", room, "commit", "--quiet", "--allow-empty", "-m", f"work {number}")
            made.append(world.git("-C", room, "rev-parse", "HEAD"))
            found = workspace.tips(room_request.repository, room_request.path)
            must(made[-1] in found.commits, "the branch's commit is a tip")
            world.git("-C", room, "reset", "--quiet", "--hard", room_request.base)
        found = workspace.tips(room_request.repository, room_request.path)
        must(found.commits.issuperset(made), "commits that HEAD was reset from are tips")
        objects = found.objects or room_request.repository.objects
        loose = [objects / commit[:2] / commit[2:] for commit in made]
        must(all(map(os.path.isfile, loose)), "their objects are where the room says")

    def test_the_users_checkout_is_untouched(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """Making and removing a room changes no byte of config, HEAD, index, stash or files."""
        before = _surroundings(world)
        _make(workspace, room_request)
        must(_surroundings(world) == before, "making a room changed the user's checkout")
        _remove(workspace, room_request)
        must(_surroundings(world) == before, "removing a room changed the user's checkout")

    def test_no_hook_runs(
        self, workspace: RoomMaker, room_request: RoomRequest, tmp_path: Path
    ) -> None:
        """The repository's own hooks run neither when a room is made nor when it is removed."""
        _make(workspace, room_request)
        _remove(workspace, room_request)
        must(not (tmp_path / "hook-ran").exists(), "a hook of the repository ran")

    def test_removing_leaves_no_trace(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """The room, and the repository's memory of it, are gone; a second removal is fine."""
        worktrees, branches = _worktrees(world), _branches(world)
        _make(workspace, room_request)
        left = room_request.path / "left over"
        left.write_text("by the worker", encoding="utf-8")
        for _ in range(2):
            workspace.release(room_request.repository, room_request.git, room_request.path)
        must(left.exists(), "the files of a room are not the plugin's to remove")
        must(not (room_request.path / ".git").exists(), "the room is still a repository")
        _remove(workspace, room_request)
        must(_worktrees(world) == worktrees, "git still lists a worktree")
        must(_branches(world) == branches, "a branch was left behind")

    def test_a_failed_creation_leaves_nothing(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """A room that has a ``.git`` already is refused, and the repository knows nothing of it."""
        worktrees, branches = _worktrees(world), _branches(world)
        (room_request.path / ".git").mkdir(parents=True)
        room_request.index.touch()
        must_refuse(lambda: workspace.create(room_request), str(room_request.path))
        must(_worktrees(world) == worktrees, "git lists a half-made worktree")
        must(_branches(world) == branches, "a branch was left behind")

    def test_a_kill_leaves_nothing_that_stays(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest, tmp_path: Path
    ) -> None:
        """However far making or removing a room came, removing it again clears everything.

        Killed before each line of the plugin's module in turn.
        """
        module = inspect.getfile(type(workspace))
        traces = _traces(world)

        def request(number: int) -> RoomRequest:
            place = tmp_path / "rooms" / f"killed-{number}"
            place.mkdir(exist_ok=True)
            path = place / "room"
            return dataclasses.replace(room_request, path=path, index=place / "room.index")

        for number in kills(lambda number: _make(workspace, request(number)), module):
            _remove(workspace, request(number))
            _must_be_the_same(_traces(world), traces, f"a creation killed at step {number}")
        _remove(workspace, request(number + 1))
        for number in kills(lambda number: _make_and_remove(workspace, request(-number)), module):
            _remove(workspace, request(-number))
            _must_be_the_same(_traces(world), traces, f"a removal killed at step {number}")

    def test_a_part_of_the_files_is_a_clean_room(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """Files that were left out are neither missing nor deleted for the worker's git."""
        world.commit("lib/deep/a", "1\n").commit("lib/b", "1\n")
        base = world.oid()
        cone = Cone(("src",))
        checkout_cone(room_request.git, base, room_request.path, room_request.index, cone)
        workspace.create(dataclasses.replace(room_request, base=base, sparse=cone.patterns()))
        room = str(room_request.path)
        must(not (room_request.path / "lib").exists(), "a part of the files is there")
        must(not world.git("-C", room, "status", "--porcelain"), "a new room is clean")
        (room_request.path / "src" / "new").write_text("new\n", encoding="utf-8")
        world.git("-C", room, "add", "--all")
        world.git("-C", room, "commit", "--quiet", "-m", "work")
        changed = world.git("-C", room, "diff", "--name-status", base, "HEAD")
        must(changed == "A\tsrc/new", f"a commit in it changes what was changed: {changed!r}")

    def test_rooms_stand_side_by_side(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest, tmp_path: Path
    ) -> None:
        """Several rooms on one base do not see each other's files, and go one by one."""
        second = dataclasses.replace(
            room_request, path=tmp_path / "rooms" / "two" / "room", branch="cto/main/T-2"
        )
        _make(workspace, room_request)
        _make(workspace, second)
        (room_request.path / "README").write_text("mine\n", encoding="utf-8")
        _remove(workspace, room_request)
        must(not world.git("-C", str(second.path), "status", "--porcelain"), "the other is clean")

    def test_a_room_has_its_own_refs(
        self, workspace: RoomMaker, world: CtoRepo, room_request: RoomRequest
    ) -> None:
        """What a worker does to refs in its room does not reach the repository."""
        self.needs("own_refs")
        _make(workspace, room_request)
        before = _branches(world)
        world.git("-C", str(room_request.path), "branch", "planted")
        world.git("-C", str(room_request.path), "update-ref", "-d", "refs/heads/planted")
        world.git("-C", str(room_request.path), "tag", "planted")
        must(_branches(world) == before, "a ref made in the room reached the repository")


def _make(workspace: RoomMaker, request: RoomRequest) -> None:
    """Check the files out, as the core does, and make them a room."""
    request.index.unlink(missing_ok=True)
    checkout(request.git, request.base, request.path, request.index)
    workspace.create(request)


def _remove(workspace: RoomMaker, request: RoomRequest) -> None:
    """Take the repository away, then the files, as the core does."""
    workspace.release(request.repository, request.git, request.path)
    discard(request.path)
    must(not request.path.exists(), "the room is still there")


def _make_and_remove(workspace: RoomMaker, request: RoomRequest) -> None:
    _make(workspace, request)
    _remove(workspace, request)


def _traces(world: CtoRepo) -> frozenset[str]:
    """Return what a room could leave in the repository, but for the locks that stay."""
    git_dir = world.path / ".git"
    known = (git_dir / "objects", git_dir / "logs", git_dir / "refs")
    left = {
        str(path)
        for path in git_dir.rglob("*")
        if path.suffix != ".lock"
        and path not in {git_dir / "worktrees", git_dir / "cto" / "locks"}
        and not any(path.is_relative_to(each) for each in known)
    }
    return frozenset({*left, *_worktrees(world).splitlines(), *_branches(world).splitlines()})


def _must_be_the_same(after: frozenset[str], before: frozenset[str], what: str) -> None:
    must(after == before, f"{what} left, after it was cleared, {sorted(after ^ before)}")


def _surroundings(world: CtoRepo) -> dict[str, bytes]:
    own = [world.path / ".git" / name for name in ("HEAD", "config", "index", "refs/stash")]
    files = [path for path in world.path.rglob("*") if ".git" not in path.parts[-2:]]
    tree = [path for path in files if path.is_file() and ".git" not in path.parts]
    return {str(path): path.read_bytes() for path in (*own, *tree) if path.exists()}


def _worktrees(world: CtoRepo) -> str:
    return world.git("worktree", "list", "--porcelain")


def _branches(world: CtoRepo) -> str:
    return world.git("for-each-ref", "refs/heads", "refs/tags", "refs/remotes")
