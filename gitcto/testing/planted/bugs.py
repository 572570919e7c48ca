"""Deliberate bugs, as exact replacements in our own sources: each must be found, or harm nobody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A bug. ``swaps`` are (file, old text, new text), each old text once in its file.

    ``by`` is the detector that is cheapest to find it; ``harmless`` says why none has to.
    """

    name: str
    swaps: tuple[tuple[str, str, str], ...]
    by: str = ""
    harmless: str = ""


DECIDE, EVOLVE, OUTCOMES = "model/decide.py", "model/evolve.py", "model/outcomes.py"
LEDGER, RECOVERY, OTHERS = "store/ledger.py", "runtime/recovery.py", "runtime/others.py"
ENDING, LANDER, LOOP = "runtime/ending.py", "runtime/lander.py", "runtime/orchestrator.py"
LANDING = "runtime/landing.py"

FENCE = "    if command.epoch != current or execution.state not in LIVE_STATES:\n"

QUEUED = '    if task.state is not TaskState.QUEUED:\n        return Refusal("not_queued", '
ALWAYS = '    if False:\n        return Refusal("not_queued", '

MODEL = (
    Bug(name="the fence is dropped", swaps=((DECIDE, FENCE, "    if False:\n"),), by="explorer"),
    Bug(
        name="fenced by who, not by token",
        swaps=((DECIDE, FENCE, "    if execution.state not in LIVE_STATES:\n"),),
        by="explorer",
    ),
    Bug(
        name="the dead are not fenced",
        swaps=((DECIDE, FENCE, "    if command.epoch != execution.epoch:\n"),),
        by="explorer",
    ),
    Bug(
        name="fenced by the execution's own token",
        swaps=(
            (
                DECIDE,
                (
                    "    current = task.epoch if task.execution == execution.id "
                    "else max(task.epoch, execution.epoch + 1)\n"
                ),
                "    current = execution.epoch\n",
            ),
        ),
        harmless="an execution lives only while its token is its task's last one",
    ),
    Bug(
        name="a token is used again",
        swaps=((DECIDE, "epoch=task.epoch + 1", "epoch=max(task.epoch, 1)"),),
        by="explorer",
    ),
    Bug(
        name="the token is not remembered",
        swaps=((EVOLVE, '{"epoch": e.epoch, "attempts"', '{"epoch": task.epoch, "attempts"'),),
        by="explorer",
    ),
    Bug(
        name="a task that is under way is leased again",
        swaps=((DECIDE, f'{QUEUED}"model.lease"', f'{ALWAYS}"model.lease"'),),
        by="explorer",
    ),
    Bug(
        name="a task starts before what it needs",
        swaps=((DECIDE, "    if task.waiting_for:\n", "    if False:\n"),),
        by="explorer",
    ),
    Bug(
        name="a task never hears that what it needs is done",
        swaps=((EVOLVE, "waiting_for=t.waiting_for - 1", "waiting_for=t.waiting_for"),),
        by="explorer",
    ),
    Bug(
        name="a worker too many",
        swaps=((DECIDE, "    if live >= limit:\n", "    if live > limit:\n"),),
        by="explorer",
    ),
    Bug(
        name="a lease shortened by a stale heartbeat",
        swaps=((OUTCOMES, "    if c.expires_ms <= x.expires_ms:\n", "    if False:\n"),),
        by="explorer",
    ),
    Bug(
        name="a lease is taken without proof that it is over",
        swaps=((OUTCOMES, "    if c.lapsed_ms and c.lapsed_ms != x.expires_ms:\n", "    if 0:\n"),),
        by="explorer",
    ),
    Bug(
        name="no gate has to pass",
        swaps=((OUTCOMES, "    if missing:\n", "    if False:\n"),),
        by="explorer",
    ),
    Bug(
        name="a verdict on another tree counts",
        swaps=((OUTCOMES, "    return verdict.tree == landing.tree\n", "    return True\n"),),
        by="explorer",
    ),
    Bug(
        name="what changed outside is not looked at",
        swaps=((OUTCOMES, "    if x.outside_blocks:\n", "    if False:\n"),),
        by="explorer",
    ),
    Bug(
        name="a landing is given up without asking the target",
        swaps=(
            (
                OUTCOMES,
                '    if x.state is TaskState.INTEGRATING:\n        return _wrong_state(x, "not',
                '    if False:\n        return _wrong_state(x, "not',
            ),
        ),
        by="explorer",
    ),
    Bug(
        name="of a batch all are called the last commit",
        swaps=((OUTCOMES, "commit=x.landing.commit or x.landing.new", "commit=x.landing.new"),),
        by="explorer",
    ),
    Bug(
        name="a batch loses the member that was refused",
        swaps=(
            (
                DECIDE,
                "            return answer\n        for body in answer:",
                "            continue\n        for body in answer:",
            ),
        ),
        by="explorer",
    ),
    Bug(
        name="what is done can be asked for again",
        swaps=(
            (
                DECIDE,
                "    if task.state not in (TaskState.BLOCKED, TaskState.FAILED_TERMINAL):\n",
                "    if False:\n",
            ),
        ),
        by="explorer",
    ),
    Bug(
        name="what is under way can be blocked",
        swaps=((DECIDE, f'{QUEUED}"model.task"', f'{ALWAYS}"model.task"'),),
        by="explorer",
    ),
    Bug(
        name="a failed execution lives on",
        swaps=((EVOLVE, "execution, state=TaskState.FAILED, reason", "execution, reason"),),
        by="explorer",
    ),
    Bug(
        name="a landed execution lives on",
        swaps=(
            (
                EVOLVE,
                "replace(execution, state=TaskState.DONE, evidence",
                "replace(execution, evidence",
            ),
        ),
        by="explorer",
    ),
    Bug(
        name="verdicts outlive the tip they were given on",
        swaps=(
            (
                EVOLVE,
                "for v in execution.verdicts if v.change) if",
                "for v in execution.verdicts) if",
            ),
        ),
        harmless="a verdict counts for its own tree alone, and another tip gives another tree",
    ),
    Bug(
        name="a landing may be confirmed in any state",
        swaps=(
            (
                OUTCOMES,
                (
                    "    if x.landing is None or x.state is not TaskState.INTEGRATING:\n"
                    '        return _wrong_state(x, "integrating")\n'
                    "    if c.decision"
                ),
                (
                    '    if x.landing is None:\n        return _wrong_state(x, "integrating")\n'
                    "    if c.decision"
                ),
            ),
        ),
        harmless="a live execution has an intent only while it is integrating",
    ),
)

STORE = (
    Bug(
        name="acknowledged before it is in the ledger",
        swaps=(
            (
                LEDGER,
                "        self._swap(before.tip, commit.oid, None if refused else along)\n",
                "",
            ),
        ),
        by="store",
    ),
    Bug(
        name="the sidecar before the ref",
        swaps=(
            (
                LEDGER,
                "        self._swap(before.tip, commit.oid, None if refused else along)\n",
                "        self._late = (before.tip, commit.oid, None if refused else along)\n",
            ),
            (
                LEDGER,
                "            self.close()  # it is in",
                "            self.close()  # it was in",
            ),
            (
                LEDGER,
                "        return recorded\n\n    def _decided",
                (
                    '        self._effects.crash_point("ledger.ref")\n'
                    "        self._swap(*self._late)\n        return recorded\n\n    def _decided"
                ),
            ),
        ),
        by="store",
    ),
    Bug(
        name="every event is the first of its chain",
        swaps=((LEDGER, "prev=at.digest, actor", 'prev="0" * 64, actor'),),
        by="store",
    ),
    Bug(
        name="decided on what was read last, not on what is there",
        swaps=(
            (
                LEDGER,
                (
                    "                self._follow(side, projection, tip)\n"
                    "                answer = self._decided"
                ),
                "                answer = self._decided",
            ),
        ),
        harmless="the swap names the tip that was read: it fails, and nothing is recorded",
    ),
)

RUNTIME = (
    Bug(
        name="work that failed is not kept",
        swaps=((ENDING, "kept = world.rooms.preserve(execution, work)", "kept = None"),),
        by="simulation",
    ),
    Bug(
        name="a late worker's work is not kept",
        swaps=((ENDING, "kept = self._book.world.rooms.preserve(execution, work)", "kept = None"),),
        by="simulation",
    ),
    Bug(
        name="recovery does not ask the target",
        swaps=(
            (
                RECOVERY,
                "found = {x.id: book.world.target.landed_as(x, landing) for x in group}",
                'found = {x.id: "" for x in group}',
            ),
        ),
        by="simulation",
    ),
    Bug(
        name="recovery calls landed what is not there",
        swaps=((RECOVERY, "    if not moved.moved:\n", "    if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="a run calls landed what is not there",
        swaps=((LANDER, "        if not message.moved:\n", "        if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="recovery gives a landing up that it did not look for",
        swaps=((RECOVERY, "    if all(found.values()):\n", "    if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="recovery takes nothing over",
        swaps=((RECOVERY, "        _take_over(orchestrator, execution)\n", "        pass\n"),),
        by="simulation",
    ),
    Bug(
        name="recovery takes what another clone holds",
        swaps=((RECOVERY, "if is_own(book.world, x))", "if True)"),),
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
        swaps=((LOOP, "        if due:\n", "        if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="what a worker did outside is not recorded",
        swaps=((LOOP, "        if changed is not None:\n", "        if False:\n"),),
        by="simulation",
    ),
)

BUGS = (*MODEL, *STORE, *RUNTIME)
"""All of them."""
