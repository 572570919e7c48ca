"""Which differences are git-cto's own doing: what ``git cto land`` and ``preserved restore`` do.

They are told by what they lead to, not by who says that he made them: a branch that went forward to
what a team landed, and a checkout that holds exactly that. Whoever did it, no harm was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.trees import is_ancestor
from gitcto.git.working_files import GONE, TRACKED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gitcto.git.differences import Difference
    from gitcto.git.fingerprint import Fingerprint
    from gitcto.git.process import Git


def without_own_moves(
    git: Git, found: list[Difference], before: Fingerprint, landed: Collection[str]
) -> list[Difference]:
    """Return the differences that are not explained by branches led to ``landed`` commits."""
    moves = {
        each.name: (each.before, each.after)
        for each in found
        if each.surface == "ref" and each.after in landed and _forward(git, each)
    }
    if not moves:
        return found
    logs = tuple(f"/logs/{name}" for name in moves)
    expected: dict[str, str] = {}
    for checkout in before.checkouts():
        head = before.of("state").get(f"{checkout.git_dir}/HEAD", "")
        move = moves.get(head.removeprefix("ref: ").strip())
        if move is not None and move[0]:
            expected |= _blobs(git, *move, f"{checkout.path}/")
            logs = (*logs, f"{checkout.git_dir}/logs/HEAD")
    return [
        each
        for each in found
        if each.guarded
        or not (
            (each.surface == "ref" and each.name in moves)
            or (each.surface == "log" and each.name.endswith(logs))
            or (each.surface in {"file", "index"} and _is_expected(each, expected))
        )
    ]


def _forward(git: Git, moved: Difference) -> bool:
    try:
        return not moved.before or is_ancestor(git, moved.before, moved.after)
    except CtoError:
        return False


def _blobs(git: Git, old: str, new: str, root: str) -> dict[str, str]:
    """Return what each path that differs between two commits holds in the newer one."""
    arguments = ("diff-tree", "-r", "-z", "--no-renames", "--ignore-submodules=none")
    out = git.run(*arguments, "--end-of-options", old, new).out
    fields = out.decode("utf-8", "surrogateescape").split("\0")[:-1]
    found = {}
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, oid, status = meta.split(" ")
        found[root + path] = "" if status == "D" else f"{mode} {oid}"
    return found


def _is_expected(each: Difference, expected: Mapping[str, str]) -> bool:
    wanted = expected.get(each.name)
    if wanted is None or each.before.startswith((TRACKED, "untracked", "ignored")):
        return False  # what was the user's own change is not what a move replaces
    if each.surface == "index":
        _, _, facts = each.after.partition(" ")
        return facts.removesuffix(" 0") == wanted
    found = each.after.removeprefix(TRACKED).removeprefix("untracked ")
    if found == GONE:
        return not wanted
    mode, _, oid = found.partition(" ")
    kind, executable = mode[:-3], bool(int(mode, 8) & 0o100)
    plain = "100755" if executable else "100644"
    return f"{plain if kind == '100' else '120000'} {oid}" == wanted
