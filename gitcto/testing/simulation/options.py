"""What a seed draws: the plan, the machine, and which faults there are how often (swarm)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random

FAULTS = (
    "kill",
    "step_kill",
    "stall",
    "clock_jump",
    "reorder",
    "disk_full",
    "answer_lost",
    "remote_gone",
    "target_moved",
    "checked_out",
    "worker_crash",
    "worker_hang",
    "worker_flood",
    "worker_empty",
    "worker_refused",
    "supervisor_killed",
    "supervisor_hung",
    "quota",
    "not_started",
    "red",
    "flaky",
    "gate_not_run",
    "pause",
    "stop",
    "eject",
    "person_slow",
    "second_run",
    "evidence_unwritten",
    "overtaken",
    "trespass",
)
"""Every kind of fault. Each seed has some of them."""

STEP_FAULTS = {"rejects": 0.25, "no_verdict": 0.08}
"""What reviewers do that nobody likes, and how likely, in seeds whose attempts have steps."""

_PER_HOUR = {
    "kill": 14.0,
    "stall": 30.0,
    "clock_jump": 25.0,
    "disk_full": 5.0,
    "remote_gone": 8.0,
    "target_moved": 3.0,
    "checked_out": 2.0,
    "supervisor_killed": 3.0,
    "worker_crash": 3.0,
    "pause": 2.0,
    "stop": 0.7,
    "eject": 1.5,
    "second_run": 12.0,
}
"""How often in a simulated hour, on average, when a seed has it and is of middling violence."""

_CHANCE = {
    "step_kill": 0.012,
    "reorder": 0.5,
    "answer_lost": 0.004,
    "worker_hang": 0.05,
    "supervisor_hung": 0.04,
    "worker_flood": 0.05,
    "worker_empty": 0.06,
    "worker_refused": 0.04,
    "quota": 0.04,
    "not_started": 0.06,
    "red": 0.15,
    "flaky": 0.15,
    "gate_not_run": 0.1,
    "person_slow": 0.5,
    "evidence_unwritten": 0.02,
    "overtaken": 0.05,
    "trespass": 0.03,
}
"""How likely, each time it could happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One seed's world.

    ``rates`` are faults an hour, ``chances`` faults each time; ``files`` is how many files the
    repository has: with few of them most changes conflict. ``work_min`` is the middle duration of
    an attempt (minutes), ``gate_s`` of a run of gates (seconds); ``lease_s`` is policy's;
    ``clones`` is how many clones run the team, ``storm`` whether all tasks touch one file, and
    ``strategies`` whether some attempts have several steps.
    """

    seed: int
    tasks: int
    files: int
    work_min: float
    gate_s: float
    lease_s: int
    max_workers: int
    capacity: int
    approvals: bool
    storm: bool
    remote: bool
    clones: int
    strategies: bool
    rates: dict[str, float]
    chances: dict[str, float]

    def told(self) -> dict[str, object]:
        """Return all of it, as plain values."""
        return asdict(self)


def draw(seed: int) -> Options:
    """Return the options of a seed; the same seed always draws the same."""
    rng = Random(f"options {seed}")
    violence = rng.choice((0.5, 1.0, 1.0, 1.0, 1.5, 2.5)) if seed else 0.0
    rates: dict[str, float] = {}
    chances: dict[str, float] = {}
    for name in FAULTS:
        if violence == 0.0 or rng.random() < 0.25:  # noqa: PLR2004  # absent from a quarter
            continue
        strength = violence * rng.uniform(0.5, 1.5)
        if name in _PER_HOUR:
            rates[name] = round(_PER_HOUR[name] * strength, 3)
        else:
            chances[name] = round(min(0.9, _CHANCE[name] * strength), 4)
    clones = 2 if rng.random() < 0.3 else 1  # noqa: PLR2004
    storm = rng.random() < 0.15  # noqa: PLR2004
    steps = Random(f"steps {seed}")
    strategies = steps.random() < 0.5  # noqa: PLR2004
    if strategies and violence:
        chances |= {name: round(most * steps.random(), 4) for name, most in STEP_FAULTS.items()}
    return Options(
        seed=seed,
        tasks=rng.randint(3, 24),
        files=rng.choice((4, 12, 40)),
        work_min=rng.choice((6.0, 15.0, 30.0)),
        gate_s=rng.choice((5.0, 60.0, 300.0)),
        lease_s=rng.choice((60, 300, 900)),
        max_workers=rng.randint(1, 6),
        capacity=rng.randint(1, 4),
        approvals=rng.random() < 0.2,  # noqa: PLR2004
        storm=storm,
        remote=clones > 1 or rng.random() < 0.3,  # noqa: PLR2004
        clones=clones,
        strategies=strategies,
        rates=rates,
        chances=chances,
    )
