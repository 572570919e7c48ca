"""What holds in every world: Hypothesis makes the changes, the truth, and the order of events."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitcto.queue.decide import decide
from gitcto.queue.order import OVERTAKEN
from gitcto.queue.records import Enqueued, Landed, RunEnded, RunStarted, TargetMoved
from gitcto.queue.state import Queue, after, fold
from tests.queue.worlds import PLAIN, Shell, Sure, item, shells

ROOT = Path(__file__).resolve().parents[2]
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(shells())
def test_what_is_good_lands_once_and_what_is_bad_is_rejected_once(shell: Shell) -> None:
    shell.until_empty()
    assert sorted(shell.landed + shell.rejected) == sorted({*shell.landed, *shell.rejected})
    assert shell.ejected == []
    assert shell.bad <= set(shell.rejected)
    for name in set(shell.rejected) - shell.bad:
        assert not shell.green([*shell.landed, name])


@MANY
@given(shells(apart=True))
def test_what_does_not_go_together_is_never_tried_together_again(shell: Shell) -> None:
    """Of each such pair one lands, or is rejected for another reason, and nobody is blamed."""
    shell.until_empty()
    ended = shell.landed + shell.rejected + shell.ejected
    assert len(ended) == len(set(ended))
    assert not any(pair <= set(shell.landed) for pair in shell.apart)
    for name in shell.ejected:
        (pair, *_) = [pair for pair in shell.apart if name in pair and pair & set(shell.landed)]
        assert pair - {name} <= set(shell.landed)
    assert shell.bad <= {*shell.rejected, *shell.ejected}


@MANY
@given(shells(flaky=True))
def test_flakes_and_runs_that_do_not_run_turn_nothing_red(shell: Shell) -> None:
    shell.flaky = True
    for _ in range(200):
        shell.settle()
        if not shell.queue.running:
            break
        shell.end_one()
    assert shell.green(shell.landed)
    assert not shell.bad & set(shell.landed)


@MANY
@given(
    st.lists(st.sampled_from(["P1", "P0"]), min_size=45, max_size=60),
    st.lists(st.integers(0, 1000), max_size=200),
    st.integers(1, 6),
    st.sampled_from([0.6, 0.99]),
)
def test_nobody_is_overtaken_more_than_sixteen_times(
    tiers: list[str], choices: list[int], capacity: int, good: float
) -> None:
    """A stream of changes that matter more, from the first moment on, on three that do not."""
    shell = Shell(
        bad=frozenset(),
        enemies=frozenset(),
        choices=choices,
        capacity=capacity,
        predictor=Sure(good=good),
    )
    old = {f"old{number}": number for number in (1, 2, 3)}
    for name, seq in old.items():
        shell.record(Enqueued(item=item(name, seq, tier="P2", priority="low")))
    passed = dict.fromkeys(old, 0)
    for seq, tier in enumerate(tiers, start=4):
        newcomer = item(f"new{seq:02}", seq, tier=tier, priority="urgent")
        shell.record(Enqueued(item=newcomer))
        shell.settle()
        if shell.queue.running:
            shell.end_one()
    shell.until_empty()
    queue, seqs = Queue(), {**old, **{f"new{seq:02}": seq for seq in range(4, 99)}}
    for fact in shell.facts:
        before = len(queue.landed)
        queue = after(queue, fact)
        for name in old.keys() & queue.items.keys():
            passed[name] += any(seqs[other] > old[name] for other in queue.landed[before:])
    assert any(isinstance(fact, Landed) for fact in shell.facts)
    assert max(passed.values()) <= OVERTAKEN


@MANY
@given(shells(), st.randoms(use_true_random=False), st.integers(0, 20))
def test_the_order_of_facts_that_have_nothing_to_do_with_each_other_does_not_matter(
    shell: Shell, random, steps: int
) -> None:
    for _ in range(steps):
        shell.settle()
        if not shell.queue.running:
            return
        shell.end_one()
    shell.settle()
    while len(shell.queue.running) > 1:
        shell.end_one()
    last = _tail_of(shell.facts)
    head, tail = shell.facts[: len(shell.facts) - last], shell.facts[len(shell.facts) - last :]
    other = list(tail)
    random.shuffle(other)
    one, two = fold(tail, fold(head)), fold(other, fold(head))
    assert decide(one, 4, PLAIN, 0) == decide(two, 4, PLAIN, 0)


def _tail_of(facts: list) -> int:
    """Return how many of the last facts are ends of runs, which may come in any order."""
    count = 0
    while count < len(facts) and isinstance(facts[-1 - count], RunEnded):
        count += 1
    return count


@MANY
@given(shells(), st.integers(0, 30))
def test_a_target_that_somebody_moved_is_judged_before_anybody_is_blamed(
    shell: Shell, steps: int
) -> None:
    for _ in range(steps):
        shell.settle()
        if not shell.queue.running:
            return
        shell.end_one()
    moved = after(shell.queue, TargetMoved())
    actions = decide(moved, 99, PLAIN, 0)
    new = [action.run for action in actions if hasattr(action, "run")]
    assert all(run.kind == "sweep" for run in new)


def test_hash_seeds_change_nothing() -> None:
    program = (
        "from bench.queue_bursts import Shape, burst\n"
        "from bench.queue_world import World\n"
        "for rerun in (0.05, None):\n"
        "    shape = Shape(bad=0.2, flake=0.02, rerun=rerun)\n"
        "    outcome = World(burst(shape, 1), 1, 6).run()\n"
        "    print(outcome.landed, outcome.decisions)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(said) == 1
    assert b"Land(" in said.pop()


@MANY
@given(shells())
def test_the_log_alone_gives_the_same_decision(shell: Shell) -> None:
    shell.settle()
    while shell.queue.running:
        shell.end_one()
        assert decide(fold(shell.facts), 3, PLAIN, 0) == decide(shell.queue, 3, PLAIN, 0)
        shell.settle()


@MANY
@given(shells())
def test_no_change_is_judged_again_and_again(shell: Shell) -> None:
    """52 dispatches of one item (Kilo cloud#1349)."""
    shell.until_empty()
    runs = [fact.run for fact in shell.facts if isinstance(fact, RunStarted)]
    about: dict[str, int] = {}
    for run in runs:
        for name in run.unit if run.kind == "judge" else ():
            about[name] = about.get(name, 0) + 1
    assert max(about.values()) <= 12
