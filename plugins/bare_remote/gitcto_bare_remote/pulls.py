"""Pull requests on a remote that knows nothing but refs: a branch, and a commit with the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import Move, RemoteFailed

if TYPE_CHECKING:
    from gitcto.api import PullRequest

PULLS = "refs/cto/pull/"
"""Where a remote keeps pull requests, each under its key."""

BODY = "body.md"
"""The file of a pull request's commit that holds its text."""

_KEY_TRAILER = "Cto-Pull-Request"
_BASE_TRAILER = "Cto-Base"
_BY = ("git-cto", "git-cto@localhost")


class BareRemote:
    """Opens a pull request by one atomic push: both refs appear, or neither."""

    def find(self, request: PullRequest) -> str:
        """Return the ref of the pull request with this key, or nothing."""
        ref = f"{PULLS}{request.key}"
        return _address(request, ref) if ref in request.remote.refs(ref) else ""

    def open(self, request: PullRequest) -> str:
        """Push the branch and the text; the key's ref must not be there yet."""
        ref = f"{PULLS}{request.key}"
        held = request.remote.refs(request.head).get(request.head, "")
        moves = [Move(ref, "", _text(request))]
        if held != request.commit:
            _refuse_to_lose(request, held)
            moves.append(Move(request.head, held, request.commit))
        request.remote.push(*moves)
        return _address(request, ref)


def _address(request: PullRequest, ref: str) -> str:
    return f"{request.remote.shown}#{ref}"


def _refuse_to_lose(request: PullRequest, held: str) -> None:
    """Refuse to move a branch that somebody else made, or pushed to."""
    if held:
        raise RemoteFailed(
            f"{request.remote.name} has another commit at {request.head}: {held[:12]}",
            "look at that branch; delete it there when nobody needs it, then run again",
        )


def _text(request: PullRequest) -> str:
    """Write the commit that holds the text; the same request gives the same commit."""
    git = request.git
    blob = git.text("hash-object", "-w", "--stdin", stdin=request.body.encode())
    tree = git.text("mktree", stdin=f"100644 blob {blob}\t{BODY}\n".encode())
    seconds = git.text("log", "-1", "--no-show-signature", "--format=%ct", request.commit)
    env = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in zip(("NAME", "EMAIL", "DATE"), (*_BY, f"@{seconds} +0000"), strict=True)
    }
    base = request.base.removeprefix("refs/heads/")
    message = f"{request.title}\n\n{_KEY_TRAILER}: {request.key}\n{_BASE_TRAILER}: {base}\n"
    arguments = ("commit-tree", tree, "-p", request.commit, "-F", "-")
    return git.run(*arguments, stdin=message.encode(), env=env).out.decode().strip()
