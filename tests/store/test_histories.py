"""Histories that released versions recorded still fold to the state they folded to then.

Each release adds ``tests/histories/<version>.jsonl`` and its ``.state.jsonl``; none is ever edited.
A record may have gained fields since: what was recorded then must be there unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitcto.git.objects import Objects
from gitcto.git.repository import Repository
from gitcto.model.codec import GENESIS, VERSIONS, LineError, Opaque, canonical, decode, digest
from gitcto.model.state import State, fold
from gitcto.store.commits import encode
from gitcto.store.ledger import Ledger
from tests.store.conftest import git

FOLDER = Path(__file__).parent.parent / "histories"
HISTORIES = sorted(path for path in FOLDER.glob("*.jsonl") if ".state" not in path.name)


def recorded_state(history: Path) -> list[dict[str, Any]]:
    text = history.with_suffix(".state.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def contains(now: Any, then: Any) -> bool:
    """Tell whether everything recorded then is there now; new fields may have come."""
    if isinstance(then, dict):
        return all(key in now and contains(now[key], then[key]) for key in then)
    if isinstance(then, list):
        return len(now) == len(then) and all(map(contains, now, then))
    return bool(now == then)


def matches(state: State, then: list[dict[str, Any]]) -> bool:
    now = [json.loads(canonical(record)) for record in state.records()]
    return len(now) == len(then) and all(map(contains, now, then))


@pytest.fixture(params=HISTORIES, ids=lambda path: path.stem)
def history(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_an_old_history_folds_to_its_recorded_state(history: Path) -> None:
    lines = history.read_bytes().splitlines()
    events = [decode(line) for line in lines]
    assert not [event for event in events if isinstance(event.body, Opaque)]
    prevs = [GENESIS, *(digest(line) for line in lines)]
    assert [event.prev for event in events] == prevs[:-1]
    assert matches(fold(events), recorded_state(history))


def test_an_old_history_is_followed_from_git(
    history: Path, repository: Repository, open_ledger: Callable[..., Ledger]
) -> None:
    lines = history.read_bytes().splitlines()
    objects, parent = Objects(repository), None
    tree = objects.write_tree(())
    for start in range(0, len(lines), 5):
        part = lines[start : start + 5]
        raw = encode(tree=tree, parent=parent, seconds=5, subject="x", lines=part)
        parent = objects.write("commit", raw)
    ledger = open_ledger()
    git(repository, "update-ref", ledger.ref, str(parent))
    assert [stored.line for stored in ledger.events()] == lines
    state = ledger.load()
    whole = fold(decode(line) for line in lines)
    assert list(state.tasks.values()) == list(whole.tasks.values())
    assert list(state.live()) == list(whole.live())
    assert ledger.verify_chain() == []


def test_the_newest_history_has_every_kind_of_event() -> None:
    lines = HISTORIES[-1].read_bytes().splitlines()
    assert {decode(line).kind for line in lines} == set(VERSIONS)


def test_a_history_with_another_outcome_is_rejected() -> None:
    """The comparison above can fail: one event less, one forged, one cut off."""
    history = HISTORIES[-1]
    lines = history.read_bytes().splitlines()
    then = recorded_state(history)
    forged = [line.replace(b'"changed":3', b'"changed":4') for line in lines]
    for other in (lines[:-1], forged):
        assert not matches(fold(decode(line) for line in other), then)
    with pytest.raises(LineError):
        decode(lines[3][:-10])
