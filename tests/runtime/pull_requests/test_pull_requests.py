"""One pull request for one landed task, whatever is killed and whoever asks again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.runtime.delivery.pull_requests import open_pull_request, pull_request_key
from tests.runtime.pushing.conftest import Hub
from tests.runtime.team.conftest import write

POINTS = ("effect.intended", "effect.sent", "effect.confirmed", "ledger.object", "ledger.ref")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A team with one landed task, A."""
    made = Hub.make(tmp_path)
    made.policy_text += '[pull_requests]\nintegration = "bare-remote"\n'
    made.save_policy()
    made.plan(made.task("A", [write("a.txt", "a\n")]))
    made.run()
    assert made.landed() == ["A"]
    return made


def opening(hub: Hub, point: str) -> subprocess.CompletedProcess[str]:
    program = Path(__file__).with_name("open_and_die.py")
    return subprocess.run(
        [sys.executable, str(program), str(hub.root), point],
        env=hub.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def pulls(hub: Hub) -> list[str]:
    """Return the refs that pull requests have at the remote."""
    listed = hub.git("ls-remote", str(hub.hub), "refs/cto/pull/*", "refs/heads/cto/pr/*")
    return [line.partition("\t")[2] for line in listed.splitlines()]


def kinds(hub: Hub) -> list[str]:
    with hub.ledger() as ledger:
        found = [stored.event.kind for stored in ledger.events()]
    return [kind for kind in found if kind.startswith("effect.")]


def key_of(hub: Hub) -> str:
    with hub.ledger() as ledger:
        return pull_request_key(ledger, hub.tasks()["A"])


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_intent_and_outcome_and_asked_again_there_is_one(
    hub: Hub, point: str
) -> None:
    assert opening(hub, point).returncode == -9
    key = key_of(hub)
    for _ in range(2):
        done = opening(hub, "")
        assert done.stdout == f"{hub.hub}#refs/cto/pull/{key}\n", done.stderr
    assert pulls(hub) == [f"refs/cto/pull/{key}", "refs/heads/cto/pr/A"]
    assert kinds(hub) == ["effect.intended", "effect.confirmed"]


def test_killed_after_the_remote_had_it_the_next_adopts_it(hub: Hub) -> None:
    """The remote refuses every further push, so what is answered was found there."""
    assert opening(hub, "effect.sent").returncode == -9
    assert kinds(hub) == ["effect.intended"]
    assert len(pulls(hub)) == 2
    hub.hook("pre-receive", "exit 1")
    assert opening(hub, "").returncode == 0
    assert kinds(hub) == ["effect.intended", "effect.confirmed"]


def test_two_at_once_open_one(hub: Hub) -> None:
    program = Path(__file__).with_name("open_and_die.py")
    argv = [sys.executable, str(program), str(hub.root), ""]
    both = [
        subprocess.Popen(argv, env=hub.environ, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = {process.communicate()[0] for process in both}
    assert len(answers) == 1
    assert len(pulls(hub)) == 2
    assert kinds(hub) == ["effect.intended", "effect.confirmed"]


def test_another_clone_that_was_faster_is_found(hub: Hub) -> None:
    """Its refs appear between our look and our push: the remote refuses, and we look again."""
    key = key_of(hub)
    commit = hub.tasks()["A"].commit
    hub.git("push", "-q", "origin", f"{commit}:refs/heads/x")
    update = f"env -u GIT_QUARANTINE_PATH git update-ref refs/cto/pull/{key} {commit}"
    hub.hook("pre-receive", f"{update}; exit 1")
    assert opening(hub, "").stdout == f"{hub.hub}#refs/cto/pull/{key}\n"


def test_a_remote_that_refuses_leaves_the_intent_and_says_so(hub: Hub) -> None:
    hub.hook("pre-receive", "echo closed >&2; exit 1")
    with hub.context() as context, pytest.raises(CtoError) as refused:
        open_pull_request(context, hub.tasks()["A"], "text\n")
    assert "pre-receive hook declined: closed" in refused.value.message
    assert refused.value.hint
    assert kinds(hub) == ["effect.intended"]
    assert hub.tasks()["A"].state.value == "done"


def test_without_an_integration_nothing_is_intended(hub: Hub) -> None:
    hub.policy_text = hub.policy_text.partition("[pull_requests]")[0]
    with hub.context() as context, pytest.raises(CtoError) as refused:
        open_pull_request(context, hub.tasks()["A"], "text\n")
    assert refused.value.exit_code is ExitCode.POLICY
    assert kinds(hub) == []


def test_the_next_run_finishes_what_a_kill_left_intended(hub: Hub) -> None:
    """With the text that was intended, and before it has anything else to do."""
    assert opening(hub, "effect.intended").returncode == -9
    assert pulls(hub) == []
    hub.run()
    key = key_of(hub)
    assert pulls(hub) == [f"refs/cto/pull/{key}", "refs/heads/cto/pr/A"]
    assert kinds(hub) == ["effect.intended", "effect.confirmed"]
    assert f"A: pull-request: {hub.hub}#refs/cto/pull/{key}" in hub.told.notes
