"""Status: a long history beside a short one, and what it takes to have it at hand."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from bench.histories import write_history
from bench.measure import Effort, Row, cost_of, cpu_s, interleaved, program
from bench.programs import GIT_CTO
from bench.replay import plain_git, rebuilt, rows_of
from bench.repositories import scratch
from gitcto.store.reader import LedgerReader

SHORT, LONG = 1_000, 1_000_000
PER_COMMIT = 50
_RATIO = 1.2
_QUESTIONS = 20


def measure(effort: Effort) -> list[Row]:
    """Return rows for the command, for the question alone, and for building the long one."""
    sizes = (SHORT, effort.size(LONG, 2 * SHORT))
    short, long = (f"{events} events" for events in sizes)
    with ExitStack() as stack:
        places = [stack.enter_context(scratch()) for _ in sizes]
        for place, events in zip(places, sizes, strict=True):
            write_history(place, events, PER_COMMIT)
        built = {"git": [plain_git(places[1])], "us": [rebuilt(places[1])]}
        commands, questions = {}, {}
        for place, name in zip(places, (short, long), strict=True):
            commands[name] = partial(program, (GIT_CTO, "status"), place.path, place.env)
            reader = stack.enter_context(LedgerReader(place.repository(), "main"))
            ask = partial(_ask, reader)
            questions[name] = partial(cost_of, ask, _QUESTIONS)
        whole = interleaved(commands, effort.rounds)
        inner = interleaved(questions, effort.rounds)
    rows = [
        Row(
            what=f"{what} at {long}",
            value=cpu_s(costs[long]) * 1e3,
            unit="ms CPU",
            baseline=cpu_s(costs[short]) * 1e3,
            versus=f"at {short}",
            ratio_limit=_RATIO,
        )
        for what, costs in (("git cto status", whole), ("its question to the sidecar", inner))
    ]
    label = f"{sizes[1]} events, {PER_COMMIT} in each commit"
    return rows + rows_of(label, sizes[1], built, None)


def _ask(reader: LedgerReader) -> None:
    for _ in range(_QUESTIONS):
        reader.summary(rows_each=50)
