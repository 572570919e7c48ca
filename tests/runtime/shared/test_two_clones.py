"""Two clones of one bare remote run one team at the same time: each change lands once."""

from __future__ import annotations

import pytest

from tests.runtime.shared.conftest import LEDGER, TARGET, Hub

EIGHT = tuple("ABCDEFGH")


@pytest.mark.timeout(120)
def test_two_clones_run_one_team_at_once(hub: Hub) -> None:
    first = hub.first()
    first.cto("init")
    first.plan_more(*(hub.task(first, name) for name in EIGHT))
    second = hub.another()
    runs = [first.start("run"), second.start("run")]
    ends = [process.communicate(timeout=100) for process in runs]
    assert [process.returncode for process in runs] == [0, 0], ends
    assert sorted(hub.landed()) == list(EIGHT)
    assert hub.starts() == dict.fromkeys(EIGHT, 1)
    for clone in hub.clones:
        clone.cto("run")
        assert {task.state.value for task in clone.tasks().values()} == {"done"}
        clone.assert_clean()
    hub.assert_agreed()
    assert "joined" in ends[1][1]
