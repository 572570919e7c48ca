"""What landed is pushed to a real remote: forward only, seen there, and never by force."""

from __future__ import annotations

import os
import select
import subprocess
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError
from gitcto.git.remote import Move, RemoteFailed, open_remote
from gitcto.git.repository import discover
from gitcto.model.queue_commands import RecordPush
from gitcto.runtime.core.push_record import push_record
from gitcto.runtime.delivery.pushing import push_target
from tests.runtime.pushing.conftest import TARGET

if TYPE_CHECKING:
    from tests.runtime.pushing.conftest import Hub


def push(hub: Hub, commit: str, **environ: str) -> str:
    with hub.context(**environ) as context:
        return push_target(context, TARGET, commit)


def test_a_branch_that_is_not_there_is_made_and_goes_forward(hub: Hub) -> None:
    one = hub.commit("one")
    two = hub.commit("two", one)
    assert push(hub, one) == f"origin {TARGET}"
    assert hub.there() == one
    assert push(hub, two) == f"origin {TARGET}"
    assert hub.there() == two
    assert hub.git("--git-dir", str(hub.hub), "for-each-ref", "--format=%(refname)") == TARGET


def test_pushing_again_asks_and_moves_nothing(hub: Hub) -> None:
    one = hub.commit("one")
    two = hub.commit("two", one)
    push(hub, two)
    hub.hook("pre-receive", "exit 1")
    assert push(hub, two) == f"origin {TARGET}"
    assert push(hub, one) == f"origin {TARGET}"
    assert hub.there() == two


def test_what_was_seen_at_the_remote_is_recorded(hub: Hub) -> None:
    one = hub.commit("one")
    seen = push_record(push(hub, one), one)
    assert seen == RecordPush(remote="origin", ref=TARGET, commit=one)
    assert push_record("not pushed: policy names no remote", one) is None


def test_policy_that_names_no_remote(hub: Hub) -> None:
    hub.policy_text = hub.policy_text.partition("[remote]")[0]
    assert push(hub, hub.commit("one")) == "not pushed: policy names no remote"
    assert hub.there() == ""


def test_a_remote_that_the_repository_lacks(hub: Hub) -> None:
    hub.git("remote", "remove", "origin")
    said = push(hub, hub.commit("one"))
    assert said == "not pushed: this repository has no remote 'origin'"


def test_a_remote_that_rejects_says_why_and_nothing_moves(hub: Hub) -> None:
    hub.hook("pre-receive", "echo 'not before noon' >&2; exit 1")
    said = push(hub, hub.commit("one"))
    assert said == "not pushed: origin rejected it: pre-receive hook declined: not before noon"
    assert hub.there() == ""


def test_a_remote_that_is_gone(hub: Hub) -> None:
    hub.hub.rename(hub.root / "moved.git")
    said = push(hub, hub.commit("one"))
    assert said.startswith("not pushed: origin cannot be reached: ")
    assert "does not appear to be a git repository" in said


def test_a_later_push_takes_everything_along(hub: Hub) -> None:
    one = hub.commit("one")
    hub.hook("pre-receive", "exit 1")
    assert push(hub, one).startswith("not pushed: ")
    (hub.hub / "hooks" / "pre-receive").unlink()
    two = hub.commit("two", one)
    push(hub, two)
    assert hub.git("--git-dir", str(hub.hub), "rev-list", "--count", f"{one}..{TARGET}") == "1"


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
def test_a_branch_that_somebody_else_moved_is_never_overwritten(hub: Hub, *, known: bool) -> None:
    push(hub, hub.commit("one"))
    theirs = hub.commit("theirs", TARGET, hub.hub)
    hub.git("--git-dir", str(hub.hub), "update-ref", TARGET, theirs)
    if known:
        hub.git("fetch", "-q", "origin", f"{TARGET}:refs/remotes/origin/x")
    said = push(hub, hub.commit("two", hub.commit("one")))
    why = "which does not lead to" if known else "which this repository does not know"
    assert said.startswith(f"not pushed: origin has {theirs[:12]} there, {why}")
    assert hub.there() == theirs


def test_a_lease_on_an_old_value_is_refused_though_git_could_force(hub: Hub) -> None:
    """Between our look and our push somebody else pushes; the push names what it expects."""
    one, two = hub.commit("one"), hub.commit("two")
    push(hub, one)
    remote = open_remote(discover(hub.path, hub.environ), "origin", hub.environ)
    for old in ("", two):
        with pytest.raises(RemoteFailed) as refused:
            remote.push(Move(TARGET, old, two))
        assert refused.value.moved
    assert hub.there() == one


def test_the_race_is_looked_at_again(hub: Hub) -> None:
    """While we push one, another clone pushes a commit that leads to it: we go on from there."""
    one = hub.commit("one")
    two = hub.commit("two", one)
    hub.git("push", "-q", "origin", f"{one}:refs/heads/elsewhere")
    once = hub.root / "once"
    move = f"env -u GIT_QUARANTINE_PATH git update-ref {TARGET} {one}"
    race = f"[ -e {once} ] || {{ touch {once}; {move}; }}"
    hub.hook("pre-receive", race)
    assert push(hub, two) == f"origin {TARGET}"
    assert once.exists()
    assert hub.there() == two


def test_nothing_of_the_repository_runs_and_credentials_stay_the_users(hub: Hub) -> None:
    ran = hub.root / "ran"
    hooks = hub.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-push", "reference-transaction", "post-update"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    evil = f"!touch {ran}"
    for key in ("credential.helper", "core.sshCommand", "core.fsmonitor", "core.gitProxy"):
        hub.git("config", key, evil)
    hub.git("config", "core.hooksPath", str(hooks))
    mine = hub.root / "mine"
    mine.mkdir()
    (hooks / "pre-push").rename(mine / "pre-push")
    asked = hub.root / "asked"
    helper = hub.root / "helper"
    helper.write_text(f"#!/bin/sh\necho asked >> {asked}\n")
    helper.chmod(0o755)
    settings = hub.root / "gitconfig"
    settings.write_text(f'[credential]\n\thelper = "{helper}"\n')
    said = push(
        hub,
        hub.commit("one"),
        GIT_CONFIG_GLOBAL=str(settings),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="core.hooksPath",
        GIT_CONFIG_VALUE_0=str(mine),
    )
    assert said == f"origin {TARGET}"
    assert not ran.exists()
    with hub.context() as context:
        remote = open_remote(context.repository, "origin", context.environ)
        git = (*remote.argv, "credential", "fill")
        url = b"url=https://x.invalid\n"
        done = subprocess.run(git, env=remote.env, input=url, capture_output=True, check=False)
    assert done.returncode != 0
    assert asked.read_text() == "asked\n"
    assert not ran.exists()


def test_an_address_that_runs_a_program_is_refused(hub: Hub) -> None:
    ran = hub.root / "ran"
    hub.git("remote", "set-url", "origin", f"ext::touch {ran}")
    said = push(hub, hub.commit("one"))
    assert said.startswith("not pushed: origin cannot be reached: ")
    assert "'ext' not allowed" in said
    assert not ran.exists()


def test_a_password_in_the_address_is_never_said(hub: Hub) -> None:
    hub.git("remote", "set-url", "origin", "https://me:s3cret@localhost:1/x.git")
    with hub.context() as context:
        said = push_target(context, TARGET, hub.commit("one"))
        remote = open_remote(context.repository, "origin", context.environ)
    assert said.startswith("not pushed: origin cannot be reached: ")
    assert remote.shown == "https://localhost:1/x.git"
    assert "s3cret" not in said + repr(remote)


def test_an_address_relative_to_the_checkout(hub: Hub) -> None:
    hub.git("remote", "set-url", "origin", "../hub.git")
    one = hub.commit("one")
    assert push(hub, one) == f"origin {TARGET}"
    assert hub.there() == one


def test_several_addresses_are_not_half_pushed(hub: Hub) -> None:
    hub.git("remote", "set-url", "--add", "--push", "origin", "/a")
    hub.git("remote", "set-url", "--add", "--push", "origin", "/b")
    assert push(hub, hub.commit("one")).endswith("'origin' has 2 addresses to push to")


def test_a_remote_that_never_answers_ends_with_all_it_started(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ssh that hangs: git is ended at the deadline, and so is what it started."""
    monkeypatch.setattr("gitcto.git.remote.ASK_DEADLINE_S", 3.0)
    pid_file = hub.root / "pid"
    ssh = hub.root / "ssh"
    ssh.write_text(f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 600\n")
    ssh.chmod(0o755)
    hub.git("remote", "set-url", "origin", "ssh://nowhere.invalid/x.git")
    said = push(hub, hub.commit("one"), GIT_SSH=str(ssh), GIT_SSH_VARIANT="simple")
    assert said == "not pushed: origin: no answer within 3 s"
    assert ended(int(pid_file.read_text()))


def ended(pid: int) -> bool:
    """Wait until a process has ended; the kernel may take a moment after the signal."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    return bool(select.select([descriptor], [], [], 10)[0])


def test_a_shallow_repository_pushes(hub: Hub) -> None:
    push(hub, hub.commit("one"))
    shallow = hub.root / "shallow"
    hub.git(
        "clone",
        "-q",
        "--depth=1",
        "--branch=cto/main/integration",
        f"file://{hub.hub}",
        str(shallow),
    )
    repository = discover(shallow, hub.environ)
    tip = hub.git("-C", str(shallow), "rev-parse", "HEAD")
    two = hub.commit("two", tip, shallow)
    open_remote(repository, "origin", hub.environ).push(Move(TARGET, tip, two))
    assert hub.there() == two


def test_errors_have_a_hint(hub: Hub) -> None:
    with pytest.raises(CtoError) as error:
        open_remote(discover(hub.path, hub.environ), "nobody", hub.environ)
    assert "git remote add nobody URL" in error.value.hint
