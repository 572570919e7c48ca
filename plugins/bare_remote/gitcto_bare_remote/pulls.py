"""Pull requests on a remote that knows nothing but refs: a branch, and a commit with the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import Move, Receipt, Refused

if TYPE_CHECKING:
    from gitcto.api import EffectRequest, Remote

PULLS = "refs/cto/pull/"
"""Where a remote keeps pull requests, each under its key."""

BODY = "body.md"
"""The file of a pull request's commit that holds its text."""

_KEY_TRAILER = "Cto-Pull-Request"
_BASE_TRAILER = "Cto-Base"
_BY = ("git-cto", "git-cto@localhost")


class BareRemote:
    """Opens a pull request by one atomic push: both refs appear, or neither."""

    def find(self, request: EffectRequest) -> Receipt | None:
        """Return the ref of the pull request with this key, if the remote has it."""
        remote, ref = _remote(request), _ref(request)
        return _receipt(remote, ref) if ref in remote.refs(ref) else None

    def send(self, request: EffectRequest) -> Receipt:
        """Push the branch and the text; the key's ref must not be there yet."""
        remote, ref, head = _remote(request), _ref(request), request.facts["head"]
        held = remote.refs(head).get(head, "")
        moves = [Move(ref, "", _text(request))]
        if held != request.commit:
            _refuse_to_lose(remote, head, held)
            moves.append(Move(head, held, request.commit))
        remote.push(*moves)
        return _receipt(remote, ref)


def _remote(request: EffectRequest) -> Remote:
    if request.remote is None:
        raise Refused("policy names no remote", "write its `name` under [remote] in policy.toml")
    return request.remote


def _ref(request: EffectRequest) -> str:
    return f"{PULLS}{request.key}"


def _receipt(remote: Remote, ref: str) -> Receipt:
    return Receipt(url=f"{remote.shown}#{ref}", id=ref)


def _refuse_to_lose(remote: Remote, head: str, held: str) -> None:
    """Refuse to move a branch that somebody else made, or pushed to."""
    if held:
        raise Refused(
            f"{remote.name} has another commit at {head}: {held[:12]}",
            "look at that branch; delete it there when nobody needs it, then run again",
        )


def _text(request: EffectRequest) -> str:
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
    base = request.facts["base"].removeprefix("refs/heads/")
    message = f"{request.title}\n\n{_KEY_TRAILER}: {request.key}\n{_BASE_TRAILER}: {base}\n"
    arguments = ("commit-tree", tree, "-p", request.commit, "-F", "-")
    return git.run(*arguments, stdin=message.encode(), env=env).out.decode().strip()
