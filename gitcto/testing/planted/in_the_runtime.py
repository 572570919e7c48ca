"""Bugs in what is done about it."""

from __future__ import annotations

from gitcto.testing.planted.bug import Bug

RECOVERY, OTHERS, ENDING = (
    "runtime/loop/recovery.py",
    "runtime/loop/others.py",
    "runtime/core/ending.py",
)
LANDER, STEP_ENDS = "runtime/queue/lander.py", "runtime/loop/step_ends.py"

RUNTIME = (
    Bug(
        name="work that failed is not kept",
        swaps=((ENDING, "kept = world.rooms.preserve(execution, work)", "kept = None"),),
        by="simulation",
    ),
    Bug(
        name="a late worker's work is not kept",
        swaps=(
            ("runtime/loop/late.py", "kept = book.world.rooms.preserve(x, work)", "kept = None"),
        ),
        by="simulation",
    ),
    Bug(
        name="recovery does not ask the target",
        swaps=(
            (RECOVERY, "Seen(landed=book.world.target.landed_as(x, landing))", 'Seen(landed="")'),
        ),
        by="simulation",
    ),
    Bug(
        name="recovery calls landed what is not there",
        swaps=((RECOVERY, "    if not moved.moved:\n", "    if False:\n"),),
        harmless="done needs a push, or why there was none: a move that failed has neither",
    ),
    Bug(
        name="a run calls landed what is not there",
        swaps=((LANDER, "        if not message.moved:\n", "        if False:\n"),),
        harmless="done needs a push, or why there was none: a move that failed has neither",
    ),
    Bug(
        name="a move that failed counts as one",
        swaps=(
            (
                "runtime/queue/landing.py",
                "push(world, landing) if moved else",
                "push(world, landing) or",
            ),
        ),
        by="simulation",
    ),
    Bug(
        name="recovery gives a landing up that it did not look for",
        swaps=((RECOVERY, '    if became == "confirm":\n', "    if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="recovery takes nothing over",
        swaps=((RECOVERY, "        _take_over(orchestrator, execution)\n", "        pass\n"),),
        by="simulation",
    ),
    Bug(
        name="recovery takes what another clone holds",
        swaps=((RECOVERY, "if is_own(book.world, x)]", "if True]"),),
        by="simulation",
    ),
    Bug(
        name="a lapsed lease is given up without a look at the target",
        swaps=(
            (
                OTHERS,
                (
                    "landed = {world.target.landed_as(x, landing) for x in executions "
                    'if landing is not None} - {""}'
                ),
                "landed: set[str] = set()",
            ),
        ),
        by="simulation",
    ),
    Bug(
        name="a lease is given up before it is over",
        swaps=((OTHERS, "if x.expires_ms < latest and not", "if not"),),
        by="simulation",
    ),
    Bug(
        name="the target moves before the intent is recorded",
        swaps=(
            (
                LANDER,
                "        refusal = self._pen.record(*commands, attachments",
                (
                    "        first = composed.landing(book.target, composed.members[-1])\n"
                    "        book.world.target.move(first)\n"
                    '        book.world.effects.crash_point("landing.intended")\n'
                    "        refusal = self._pen.record(*commands, attachments"
                ),
            ),
        ),
        by="simulation",
    ),
    Bug(
        name="leases are never renewed",
        swaps=(("runtime/loop/leases.py", "        if due:\n", "        if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="what a worker did outside is not recorded",
        swaps=((STEP_ENDS, "        if changed is not None:\n", "        if False:\n"),),
        by="simulation",
    ),
)
