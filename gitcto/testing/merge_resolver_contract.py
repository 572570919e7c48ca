"""The contract of a merge resolver, as tests on a real repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.contracts import MergeRequest, MergeResult
from gitcto.testing.kit import Contract, must, must_be_a_line
from gitcto.testing.repo import CtoRepo

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.contracts import TreeMerger

_TEXT = "".join(f"line {number}\n" for number in range(12))


class MergeResolverContract(Contract):
    """Subclass it and override :meth:`merger`."""

    @pytest.fixture
    def merger(self) -> TreeMerger:
        """Return the resolver under test."""
        raise NotImplementedError("override the fixture `merger`")

    @pytest.fixture
    def world(self, tmp_path: Path) -> CtoRepo:
        """Return a repository with branches ``left``, ``right`` (clean) and ``rival`` (not)."""
        repo = CtoRepo(tmp_path / "world")
        repo.commit("a.txt", _TEXT)
        for branch, old, new in (
            ("left", "line 1\n", "LEFT\n"),
            ("right", "line 10\n", "RIGHT\n"),
            ("rival", "line 1\n", "RIVAL\n"),
        ):
            repo.git("checkout", "--quiet", "-b", branch, "main")
            repo.commit("a.txt", _TEXT.replace(old, new))
        repo.git("checkout", "--quiet", "main")
        return repo

    def request(self, world: CtoRepo, ours: str, theirs: str) -> MergeRequest:
        """Return a request to merge one branch into another, both made from ``main``."""
        from gitcto.git.process import trusted
        from gitcto.git.repository import discover

        git = trusted(discover(world.path, world.environment))
        return MergeRequest(
            git=git, base=world.oid("main"), ours=world.oid(ours), theirs=world.oid(theirs)
        )

    def test_it_merges_what_does_not_conflict(self, merger: TreeMerger, world: CtoRepo) -> None:
        """Both changes are in the tree, which is in the repository."""
        result = merger.merge(self.request(world, "left", "right"))
        must_be_a_merge(result)
        must(result.tree and not result.conflicts, "a clean merge must give a tree")
        text = world.git("cat-file", "-p", f"{result.tree}:a.txt")
        must("LEFT" in text and "RIGHT" in text, "the merged tree must hold both changes")

    def test_it_says_where_it_is_not_sure(self, merger: TreeMerger, world: CtoRepo) -> None:
        """Rival edits give the paths in conflict, or a tree with less than full confidence."""
        result = merger.merge(self.request(world, "left", "rival"))
        must_be_a_merge(result)
        if not result.tree:
            must("a.txt" in result.conflicts, "the conflicting path must be named")
            return
        must(result.confidence < 1.0, "a resolved conflict is not certain")

    def test_it_says_the_same_twice(self, merger: TreeMerger, world: CtoRepo) -> None:
        """The same two commits merge to the same tree."""
        request = self.request(world, "left", "right")
        must(merger.merge(request) == merger.merge(request), "two merges differed")

    def test_it_moves_nothing(self, merger: TreeMerger, world: CtoRepo) -> None:
        """No ref and no file of the user's checkout changes."""
        before = world.git("for-each-ref"), world.git("status", "--porcelain", "--branch")
        for theirs in ("right", "rival"):
            merger.merge(self.request(world, "left", theirs))
        after = world.git("for-each-ref"), world.git("status", "--porcelain", "--branch")
        must(after == before, "merging moved a ref or touched the checkout")


def must_be_a_merge(result: object) -> None:
    """Require a ``MergeResult`` that says either a tree or conflicts."""
    if type(result) is not MergeResult:
        must(condition=False, promise=f"merge() must return a MergeResult, not {result!r}")
        return
    must(bool(result.tree) != bool(result.conflicts), "a merge has a tree or conflicts, not both")
    must(0.0 <= result.confidence <= 1.0, "confidence is between 0 and 1")
    must_be_a_line(result.detail, "detail")
