"""A remote that is silent, forked or says no: nothing is lost, and one line says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.git.remotes import RemoteUnreachable
from gitcto.model.codec import Event
from tests.runtime.shared.conftest import LEDGER, SHARED, TARGET, Hub
from tests.runtime.team.conftest import POLICY, Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]  # several runs of whole teams


class Pausing(SystemEffects):
    """Does not sleep; counts the pauses, and acts when one is made."""

    def __init__(self, on_pause: Callable[[int], object]) -> None:
        self.pauses: list[float] = []
        self._on_pause = on_pause

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._on_pause(len(self.pauses))


def error_of(said: str) -> tuple[str, str]:
    """Return the one line of what happened and the one of what to do."""
    lines = [line for line in said.splitlines() if line.startswith(("error: ", "hint: "))]
    assert "Traceback" not in said
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"], said
    return lines[0], lines[1]


@pytest.mark.parametrize("command", [("run",), ("pause",), ("init",)])
def test_a_silent_remote_is_said_in_one_line(hub: Hub, command: tuple[str, ...]) -> None:
    first, _ = hub.pair("A")
    before = first.oid(LEDGER)
    hub.bare.rename(hub.root / "away")
    if command == ("init",):
        first.set_policy(first.policy_text + "# another\n")
    error, hint = error_of(first.cto(*command, expect=128))
    assert error.startswith("error: the remote origin cannot be reached: ")
    assert "git ls-remote origin" in hint
    assert first.oid(LEDGER) == before
    (hub.root / "away").rename(hub.bare)
    first.cto("run")
    assert hub.landed() == ["A"]


class Leaving:
    """A hub that is gone as soon as the first worker has started."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.away, self.left = hub, hub.root / "away", False
        self.told = Told(on={"execution.started": self._leave})

    def _leave(self, _: Event) -> None:
        if not self.left:
            self.left = True
            self.hub.bare.rename(self.away)

    def come_back(self) -> None:
        self.away.rename(self.hub.bare)


def test_a_run_waits_for_a_remote_that_comes_back(hub: Hub) -> None:
    first, _ = hub.pair("A", "B")
    leaving = Leaving(hub)
    effects = Pausing(lambda number: leaving.come_back() if number == 2 else None)
    first.run_with(effects, leaving.told)
    assert effects.pauses[:2] == [1.0, 2.0]
    assert sorted(hub.landed()) == ["A", "B"]
    assert hub.starts() == {"A": 1, "B": 1}
    first.assert_clean()
    hub.assert_agreed()


def test_a_run_stops_when_the_remote_stays_silent_and_goes_on_later(hub: Hub) -> None:
    first, _ = hub.pair("A", "B")
    leaving = Leaving(hub)
    effects = Pausing(lambda _: None)
    with pytest.raises(RemoteUnreachable):
        first.run_with(effects, leaving.told)
    assert effects.pauses == [1.0, 2.0, 4.0, 8.0]
    leaving.come_back()
    first.cto("run")
    assert sorted(hub.landed()) == ["A", "B"]
    assert hub.starts() == {"A": 1, "B": 1}  # the workers were taken up, not started again
    first.assert_clean()
    hub.assert_agreed()


def test_a_forked_ledger_is_refused(hub: Hub) -> None:
    first, second = hub.pair("A")
    second.git("update-ref", "-d", f"refs/cto/remotes/origin/{LEDGER.removeprefix('refs/')}")
    second.cto("pause")  # nothing tells this clone any more that the team is shared
    first.cto("drain")
    theirs = hub.git("rev-parse", LEDGER)
    error, hint = error_of(second.cto("run", expect=128))
    assert error.startswith(f"error: ledger forked: {LEDGER} is ")
    assert "at origin" in error
    assert hub.git("rev-parse", LEDGER) == theirs
    assert f"git update-ref {LEDGER} {theirs}" in hint
    second.git("branch", "forked", second.oid(LEDGER))
    second.git("update-ref", LEDGER, theirs)
    (second.path / ".git/cto/sidecar.db").unlink()
    second.cto("run")  # the way out that the hint names is one
    assert hub.landed() == ["A"]


def test_a_target_that_two_moved_is_refused(hub: Hub) -> None:
    first, second = hub.pair("A")
    first.cto("run")
    second.cto("run")
    tree = second.git("rev-parse", f"{TARGET}^{{tree}}")
    made = second.git(
        "-c", "user.name=u", "-c", "user.email=u@x", "commit-tree", tree, "-p", TARGET, "-m", "x"
    )
    second.git("update-ref", TARGET, made)
    there = first.git("rev-parse", f"{TARGET}^{{tree}}")
    other = first.git(
        "-c", "user.name=u", "-c", "user.email=u@x", "commit-tree", there, "-p", TARGET, "-m", "y"
    )
    first.git("push", "-q", "origin", f"{other}:{TARGET}")
    error, hint = error_of(second.cto("run", expect=128))
    assert error.startswith(f"error: {TARGET} forked: ")
    assert f"git update-ref {TARGET} {other}" in hint
    assert second.oid(TARGET) == made


def test_a_remote_that_lost_the_ledger_is_not_given_a_new_one(hub: Hub) -> None:
    first, _ = hub.pair("A")
    hub.git("update-ref", "-d", LEDGER)
    error, hint = error_of(first.cto("run", expect=128))
    assert error == f"error: ledger forked: origin had {LEDGER} and has it no more"
    assert f"git push origin {LEDGER}" in hint
    first.git("push", "-q", "origin", LEDGER)
    first.cto("run")
    assert hub.landed() == ["A"]


def test_a_remote_that_declines_is_quoted(hub: Hub) -> None:
    first, _ = hub.pair("A")
    hook = hub.bare / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ncase $1 in refs/heads/*) exit 1;; esac\n")
    hook.chmod(0o755)
    error, _ = error_of(first.cto("run", expect=128))
    assert error.startswith(f"error: the remote origin does not take {TARGET}: ")
    assert "hook declined" in error
    hook.unlink()
    first.cto("run")
    assert hub.landed() == ["A"]
    hub.assert_agreed()


def test_a_pause_in_one_clone_holds_the_other(hub: Hub) -> None:
    first, second = hub.pair("A", "B")
    second.cto("pause")
    error, _ = error_of(first.cto("run", expect=1))
    assert error == "error: team main is paused"
    first.cto("resume")
    second.cto("run")
    assert sorted(hub.landed()) == ["A", "B"]


def test_a_stop_in_one_clone_ends_the_workers_of_the_other(hub: Hub, until: Any) -> None:
    first = hub.first()
    first.cto("init")
    first.plan_more(hub.task(first, "A", {"do": "hang"}))
    second = hub.another()
    second.cto("init")
    running = first.start("run")
    until(hub.witness.exists)
    second.cto("stop")
    running.communicate(timeout=100)
    assert running.returncode == 0
    assert first.preserved() == []
    first.assert_clean()


def test_a_team_that_worked_alone_is_shared_when_policy_says_so(hub: Hub) -> None:
    first = hub.first(POLICY)
    first.cto("init")
    first.plan_more(hub.task(first, "A"))
    first.cto("run")
    assert hub.git("for-each-ref", "refs/cto") == ""
    first.set_policy(POLICY + SHARED)
    first.cto("run")
    second = hub.another()
    second.set_policy(POLICY + SHARED)
    second.cto("init")
    assert second.oid(LEDGER) == first.oid(LEDGER)
    second.plan_more(hub.task(second, "B"))
    second.cto("run")
    assert sorted(hub.landed()) == ["A", "B"]


def test_a_team_that_is_no_longer_shared_asks_nobody(hub: Hub) -> None:
    first, _ = hub.pair("A")
    first.set_policy(POLICY)
    theirs = hub.git("rev-parse", LEDGER)
    hub.bare.rename(hub.root / "away")
    first.cto("run")
    assert first.landed() == ["A"]
    first.cto("pause")
    (hub.root / "away").rename(hub.bare)
    assert hub.git("rev-parse", LEDGER) == theirs
