"""Git's own merge of two commits, made of objects only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import Conflicted, MergeResult, merge_tree

if TYPE_CHECKING:
    from gitcto.api import MergeRequest

_LONGEST = 500


class GitMerger:
    """Merges as ``git merge`` does, with renames, and says which paths conflict."""

    def merge(self, request: MergeRequest) -> MergeResult:
        """Return a tree with full confidence, or the conflicts and git's words for them."""
        merged = merge_tree(request.git, request.base, request.ours, request.theirs)
        if isinstance(merged, Conflicted):
            return MergeResult(conflicts=merged.paths, confidence=0.0, detail=_one_line(merged))
        return MergeResult(tree=merged.tree)


def _one_line(conflicted: Conflicted) -> str:
    text = "; ".join(conflicted.detail.split("\n"))
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + "…"
