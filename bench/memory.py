"""Memory: the most that `git cto run` holds with six workers, its workers not counted."""

from __future__ import annotations

from bench.measure import Effort, Row, run
from bench.programs import GIT_CTO, with_peak
from bench.repositories import Place, scratch
from bench.teams import policy_text
from gitcto.model.records import MAX_WORKERS

LIMIT_MB = 80.0
TASKS = 24
WAITING = 10_000
_NEEDS_A_PERSON = 1


def measure(effort: Effort) -> list[Row]:
    """Return rows for a run of a short plan, and of one with many tasks that have to wait."""
    waiting = effort.size(WAITING)
    shapes = (("", 0, 0), (f", {waiting} more tasks waiting", waiting, _NEEDS_A_PERSON))
    rows = []
    for what, number, expected in shapes:
        with scratch() as place:
            _prepare(place, effort.size(TASKS, MAX_WORKERS), number)
            bare = with_peak(place)
            peak = with_peak(place, "run", expected=expected).peak_bytes
        rows.append(
            Row(
                what=f"git cto run, {MAX_WORKERS} workers{what}, peak",
                value=peak / 1e6,
                unit="MB",
                baseline=bare.peak_bytes / 1e6,
                versus="python -c pass",
                limit=LIMIT_MB,
            )
        )
    return rows


def _prepare(place: Place, ready: int, waiting: int) -> None:
    """Make a team with tasks to do, and tasks behind one that policy has no gates for."""
    (place.path / "policy.toml").write_text(policy_text("clone", MAX_WORKERS))
    tables = [_table(f"T-{n}") for n in range(ready)]
    if waiting:
        tables.append(_table("stuck", 'tier = "P2"'))
        tables += [_table(f"W-{n}", 'depends_on = ["stuck"]') for n in range(waiting - ready - 1)]
    plan = place.beside("plan.toml")
    plan.write_text("".join(tables))
    run((GIT_CTO, "init"), place.path, place.env)
    run((GIT_CTO, "plan", "import", str(plan)), place.path, place.env)


def _table(name: str, *lines: str) -> str:
    return "\n".join(["[[task]]", f'id = "{name}"', 'title = "Write a line"', *lines, ""])
