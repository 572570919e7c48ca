"""Plugin git_merge: descriptors only; the work is next door."""

from gitcto.api import MergeResolver, Register, hookimpl


@hookimpl
def gitcto_register_merge_resolvers(register: Register[MergeResolver]) -> None:
    """Add merge resolver ``git-merge``."""
    register.add(
        MergeResolver(
            name="git-merge",
            summary="Git's own three-way merge, without a checkout.",
            target="gitcto_git_merge.merger:GitMerger",
            rank=0,
        )
    )
