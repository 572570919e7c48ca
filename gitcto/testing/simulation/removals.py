"""Made-up rooms of an execution going away, and the refs of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model.records import Execution
from gitcto.runtime.core.jobs import Job, Post
from gitcto.runtime.core.messages import RoomRemoved
from gitcto.runtime.core.seats import last_in, seat_of, seated
from gitcto.runtime.host.layout import execution_of

if TYPE_CHECKING:
    from gitcto.effects import Effects
    from gitcto.testing.simulation.node import Node

_PREFIX = "refs/cto/teams/sim/"


def pin_of(name: str) -> str:
    """Return the ref of unsettled work."""
    return f"{_PREFIX}executions/{name}"


def kept_at(name: str) -> str:
    """Return the ref of work that did not land."""
    return f"{_PREFIX}preserved/{name}"


def places(node: Node, execution: str) -> list[str]:
    """Return the names of an execution's rooms."""
    return sorted(name for name in node.rooms if execution_of(name) == execution)


def removal(node: Node, effects: Effects, execution: Execution) -> Job:
    """Return the job that drops a settled execution's refs, and removes its rooms and records."""
    at = execution.id

    def unpin(post: Post) -> None:
        node.faults.step("work.unpin")
        for ref in [name for name in node.refs if name.startswith(pin_of(at))]:
            node.refs.pop(ref)
        effects.crash_point("tips.asked")
        node.later(node.faults.rng.uniform(5, 500), lambda: put_aside(post))

    def put_aside(post: Post) -> None:
        rooms = [node.rooms[place] for place in places(node, at)]
        mine = seated(execution, last_in(execution, seat_of(execution))).id
        if any(room.refused and room.place != mine for room in rooms):
            post(RoomRemoved(execution=at, problem="a room holds a repository"))
            return
        for room in rooms:
            node.removed(room)
            room.files = None
        effects.crash_point("room.aside")
        node.later(node.faults.rng.uniform(5, 500), lambda: drop(post))

    def drop(post: Post) -> None:
        effects.crash_point("room.removed")
        for place in places(node, at):
            node.rooms.pop(place)
        for run in [name for name in node.runs if execution_of(name) == at]:
            node.runs.pop(run)
        post(RoomRemoved(execution=at))

    return unpin
