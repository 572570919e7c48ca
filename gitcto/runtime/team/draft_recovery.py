"""Plans that agents were asked for by a command that is gone: nothing is paid for twice.

What an agent said is recorded as a draft, whoever comes next. One that still works is left to
itself, unless the same is asked for again: then it is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gitcto.git.lock import LockBusy
from gitcto.model.draft_records import Asked
from gitcto.runtime.team.draft_records import settle_draft, withdraw
from gitcto.runtime.team.draft_run import LOCK, clear, go_on, told_by, waited_for
from gitcto.runtime.worker import workers

if TYPE_CHECKING:
    from gitcto.model.draft_records import Draft
    from gitcto.runtime.core.book import Listener
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.host.layout import Layout

_REMOVING = ".removing"


def drafts_left(layout: Layout) -> tuple[str, ...]:
    """Return the ids of the drafts whose runs left something in this clone.

    Their records go last, so what is left has records, or some that were being removed.
    """
    if not layout.executions.is_dir():
        return ()
    found = {path.parent.name for path in layout.executions.glob(f"[!.]*/{LOCK}")}
    cut_short = layout.executions.glob(f".*{_REMOVING}")
    found |= {path.name[1:].removesuffix(_REMOVING) for path in cut_short}
    return tuple(sorted(found))


def take_up_drafts(
    context: Context,
    listener: Listener,
    wanted: Asked | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Draft | None:
    """Record what came of the drafts of this clone that nobody waits for any more.

    An agent that works is waited for only when the same is ``wanted``. Returns the draft that
    answers that, if there is one. Raises ``CtoError``.
    """
    found: Draft | None = None
    for draft in drafts_left(context.layout):
        if context.ledger.view().execution(draft) is not None:
            continue
        with suppress(LockBusy), waited_for(context.layout, draft):
            team = context.ledger.view().team
            asked = team.asked.get(draft) if team else None
            if asked is None:
                _tidy(context, draft)
                continue
            same = wanted is not None and asked.same(wanted)
            made = _take_up(context, asked, listener, interrupted, wait=same)
            found = made if same and made is not None else found
    return found


def _take_up(
    context: Context,
    asked: Asked,
    listener: Listener,
    interrupted: Callable[[], bool],
    *,
    wait: bool,
) -> Draft | None:
    """Record what came of a draft; return it if it is an answer."""
    records, name = context.layout.records(asked.id), f"the plan asked of {asked.provider}"
    seen = workers.observe(records)
    if seen.alive and seen.started is None:
        seen = workers.end(records)
    if seen.started is None:
        withdraw(context, asked, "who asked was killed before its agent began")
        return None
    if seen.alive and not wait:
        return None
    what = "its agent is waited for" if seen.alive else "its agent's answer is taken up"
    listener.note(f"{name}: who asked is gone, {what}")
    told = told_by(context, asked.id, go_on(context, asked), interrupted)
    made, answers = settle_draft(context, asked, told, listener)
    return made if answers else None


def _tidy(context: Context, draft: str) -> None:
    """Clear away after a draft that is recorded, or that nobody wants any more."""
    workers.end(context.layout.records(draft))
    team = context.ledger.view().team
    known = team.drafts.get(draft) if team else None
    pinned = context.refs.read(context.layout.execution_ref(draft))
    base = known.base if known else pinned or ""
    clear(context, Asked(id=draft, objective="", provider="", base=base))
