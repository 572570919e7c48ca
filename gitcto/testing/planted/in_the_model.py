"""Bugs in what is decided."""

from __future__ import annotations

from gitcto.testing.planted.bug import Bug

DECIDE, EVOLVE, OUTCOMES = "model/decide.py", "model/evolve.py", "model/outcomes.py"

FENCE = "    if command.epoch != current or execution.state not in LIVE_STATES:\n"

QUEUED = "    if task.state is not TaskState.QUEUED:\n        "
HELD = "holder = next("
DENIED = 'return Refusal("not_queued", "model.task"'
ALWAYS = "    if False:\n        "

CIRCUITS, STEPS = "model/circuit_rules.py", "model/step_rules.py"

MODEL = (
    Bug(
        name="a parked provider is asked all the same",
        swaps=((CIRCUITS, "    if circuit.refuses(now_ms):\n", "    if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="everybody tries a parked provider at once",
        swaps=((CIRCUITS, "    if probing(view, provider, circuit):\n", "    if False:\n"),),
        by="simulation",
    ),
    Bug(
        name="what the last run used is forgotten",
        swaps=(
            (STEPS, "    return (*charged(view.team, task, known), now)\n", "    return (now,)\n"),
        ),
        by="simulation",
    ),
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
        swaps=((DECIDE, QUEUED + HELD, ALWAYS + HELD),),
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
        swaps=((DECIDE, QUEUED + DENIED, ALWAYS + DENIED),),
        by="explorer",
    ),
    Bug(
        name="a failed execution lives on",
        swaps=((STEPS, "        state=TaskState.FAILED,\n", ""),),
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
