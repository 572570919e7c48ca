"""One trivial task with bare git: the commands it needs, and the worker's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import count

from bench.measure import Cost, program
from bench.repositories import Place
from bench.teams import WORKER

_SCRIPT = f"""set -eu
room=$1; shift
for CTO_TASK in "$@"; do
    export CTO_TASK
    tip=$(git rev-parse refs/heads/bare)
    git worktree add --quiet --detach "$room" "$tip"
    (cd "$room"; sh -c '{WORKER}'; git add --all; git commit --quiet --message "$CTO_TASK")
    work=$(git -C "$room" rev-parse HEAD)
    tree=$(git merge-tree --write-tree "$tip" "$work")
    commit=$(git commit-tree "$tree" -p "$tip" -m "$CTO_TASK")
    git update-ref refs/heads/bare "$commit" "$tip"
    git worktree remove --force "$room"
done
"""

_DURABLE = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsync",
    "GIT_CONFIG_VALUE_0": "committed,loose-object,reference",
}
_numbers = count(1)


def prepare(place: Place) -> None:
    """Make the branch that the tasks land on."""
    place.git("update-ref", "refs/heads/bare", "refs/heads/main")


def tasks(place: Place, number: int) -> Cost:
    """Do ``number`` tasks, one after the other, with git's defaults; return the cost of one."""
    return _tasks(place, number, place.env)


def durable_tasks(place: Place, number: int) -> Cost:
    """Do the same with objects and refs synced, as git-cto does."""
    return _tasks(place, number, {**place.env, **_DURABLE})


def _tasks(place: Place, number: int, env: Mapping[str, str]) -> Cost:
    names = [f"B-{next(_numbers)}" for _ in range(number)]
    run = partial(program, cwd=place.path, env=env)
    cost = run(("sh", "-c", _SCRIPT, "bare", str(place.beside("bare-room")), *names))
    return Cost(cost.wall_s / number, cost.cpu_s / number)
