"""Git's merge under the public contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_git_merge.merger import GitMerger

from gitcto.testing import MergeResolverContract

if TYPE_CHECKING:
    from gitcto.testing import CtoRepo


class TestGitMerger(MergeResolverContract):
    """The conformance kit, and git's words for a conflict."""

    @pytest.fixture
    def merger(self) -> GitMerger:
        return GitMerger()

    def test_a_conflict_is_said_in_one_line(self, merger: GitMerger, world: CtoRepo) -> None:
        result = merger.merge(self.request(world, "left", "rival"))
        assert result.conflicts == ("a.txt",)
        assert result.detail == "CONFLICT (content): Merge conflict in a.txt"
