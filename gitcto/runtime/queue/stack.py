"""Changes on top of one another, without a checkout: the tree that a run of the queue judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gitcto.runtime.core.judged import Known
from gitcto.runtime.core.queue_values import Entry, Misfit
from gitcto.runtime.core.world import Bench


def build(
    bench: Bench, onto: str, entries: Sequence[Entry], known: Known
) -> tuple[Entry, ...] | Misfit:
    """Put changes on top of one another, the first on the target's tip ``onto``, in their order.

    Each of the returned entries is the change on the one before. Change gates judge a change again
    that is another one there.
    """
    layers: list[Entry] = []
    below = onto
    for place, entry in enumerate(entries):
        layer = lay(bench, entry, below, known)
        if isinstance(layer, Misfit):
            return _whose(bench, layer, onto, entries[: place + 1], known)
        layers.append(layer)
        if place + 1 < len(entries):
            below = bench.layer(layer.candidate)
    return tuple(layers)


def lay(bench: Bench, entry: Entry, onto: str, known: Known) -> Entry | Misfit:
    """Return the change on top of the commit ``onto``, or why it does not go there."""
    before = entry.candidate
    execution = before.execution
    if onto == before.onto:
        return _approved(entry)
    merged = bench.merge(execution, onto)
    if not merged.tree:
        landed = bench.subjects_of(onto, execution.base, merged.conflicts)
        return Misfit(
            id=entry.id,
            onto=onto,
            conflicts=merged.conflicts,
            landed=landed,
            detail=merged.detail,
        )
    below = bench.tree_of(onto)
    changed = bench.changes(below, merged.tree)
    change = bench.change_id(below, merged.tree, changed)
    there = replace(before, onto=onto, tree=merged.tree, changes=changed, change=change)
    if change == before.change:
        return _approved(replace(entry, candidate=there))
    return _another(bench, replace(entry, candidate=there), known)


def _another(bench: Bench, entry: Entry, known: Known) -> Entry | Misfit:
    """Judge a change again that is not what it was judged as."""
    candidate = entry.candidate
    judged = tuple(bench.judge_change(candidate, known))
    entry = replace(entry, judged=judged)
    if any(one.verdict.status != "pass" for one in judged):
        verdicts = tuple(one.verdict for one in judged)
        return Misfit(id=entry.id, onto=candidate.onto, verdicts=verdicts, entry=entry)
    return _approved(entry)


def _approved(entry: Entry) -> Entry | Misfit:
    """Return the change unless persons approved another one."""
    candidate = entry.candidate
    if candidate.execution.approval and candidate.execution.change != candidate.change:
        return Misfit(id=entry.id, onto=candidate.onto, entry=entry)
    return entry


def _whose(
    bench: Bench, misfit: Misfit, onto: str, entries: Sequence[Entry], known: Known
) -> Misfit:
    """Find what the last of the entries does not go with: the tip, another change, or them all."""
    *others, last = entries
    if not others:
        return misfit
    alone = lay(bench, last, onto, known)
    if isinstance(alone, Misfit):
        return alone
    for other in reversed(others):
        first = lay(bench, other, onto, known)
        if isinstance(first, Misfit):
            continue
        if isinstance(lay(bench, last, bench.layer(first.candidate), known), Misfit):
            return replace(misfit, beside=(other.id,))
    return replace(misfit, beside=tuple(other.id for other in others))
