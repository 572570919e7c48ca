"""What is run to each of its moments: a table, one row a flow; add one by adding a row.

A flow begins in a world of its own, in which ``before`` was done undisturbed. Then its ``steps``
are done one after the other, and one of them is killed. Whoever did it does it again, and goes on:
nothing else is ever needed. Commands are those of a person.
"""

from __future__ import annotations

import os

from gitcto.testing.crash_points.flow import Flow, step, task, write
from gitcto.testing.crash_points.policies import (
    DRAFTING,
    GATES,
    PULLS,
    REMOTE,
    REVIEWED,
    SETUP,
    TESTS,
    TWO,
)

BAD = write("bad", "kept\n")
BEGUN = (step("init"), step("plan import plan.toml"))
RUN, FAILING_RUN = step("run"), step("run", code=1)
PERSON = f"grace@{os.uname().nodename}"
STEPS = frozenset({"attempt.room", "attempt.kept", "ledger.ref"})
"""Where an attempt stands: each room that is made, each work that is pinned, each transaction."""

COMMIT = {"do": "commit", "message": "worker's own"}
DAEMON = {"do": "daemon", "seconds": 60}
HANG = {"do": "hang"}
MANY = {f"many/{number // 100}/{number}.txt": f"{number}\n" for number in range(1001)}

FLOWS = (
    Flow(
        name="run",
        what="one task: dispatched, judged, landed, cleared away",
        policy=GATES,
        before=BEGUN,
        tasks=(task("A"),),
        steps=(RUN,),
        done=("A",),
        landed={"a": "A\n"},
    ),
    Flow(
        name="plan",
        what="a team is made and its plan imported",
        policy=GATES,
        tasks=(task("A"), task("B", needs=("A",))),
        steps=(step("init"), step("plan import plan.toml", again=frozenset({1}))),
        after=(RUN,),
        done=("A", "B"),
    ),
    Flow(
        name="steps",
        what="one agent writes, another one reviews what it wrote, and it lands",
        policy=GATES + REVIEWED,
        before=BEGUN,
        tasks=(task("A", strategy="reviewed"),),
        steps=(RUN,),
        each=STEPS,
        done=("A",),
        landed={"a": "A\n"},
    ),
    Flow(
        name="dual",
        what="two agents write at the same time, one chooses, what the other wrote is kept",
        policy=GATES + TWO,
        before=BEGUN,
        tasks=(task("A", strategy="dual"),),
        steps=(RUN,),
        done=("A",),
        landed={"second": "second\n"},
        each=STEPS | {"room.removed"},
    ),
    Flow(
        name="draft",
        what="an agent drafts a plan, policy approves of it: asked, paid and added once",
        policy=GATES + DRAFTING,
        before=(step("init"),),
        tasks=(),
        steps=(step("plan draft Better --provider drafter", again=frozenset({1})),),
        after=(RUN,),
        done=("one",),
        landed={"one": "one\n"},
    ),
    Flow(
        name="retry",
        what="the first attempt fails its gate, in a worktree: its work is kept, the second lands",
        policy=TESTS + '[workspace]\nplugin = "worktree"\n',
        before=BEGUN,
        tasks=(task("A", BAD, write("a", "A\n")),),
        steps=(RUN,),
        done=("A",),
        landed={"a": "A\n"},
    ),
    Flow(
        name="conflict",
        what="two tasks write the same lines: one lands, the other is tried again on it",
        policy=GATES,
        before=BEGUN,
        tasks=(
            task("A", (*write("same", "A\n"), *write("a", "A\n"))),
            task("B", (*write("same", "B\n"), *write("b", "B\n"))),
        ),
        steps=(RUN,),
        done=("A", "B"),
    ),
    Flow(
        name="landing",
        what="two changes are judged and landed together, a third waits for both",
        policy=TESTS,
        before=BEGUN,
        tasks=(task("A"), task("B"), task("C", needs=("A", "B"))),
        steps=(RUN,),
        done=("A", "B", "C"),
        landed={"a": "A\n", "b": "B\n", "c": "C\n"},
    ),
    Flow(
        name="evidence",
        what="a failed attempt's evidence is written, and exported to files",
        policy=TESTS + "[retries]\nmax_attempts = 1\n",
        before=BEGUN,
        tasks=(task("A", BAD),),
        steps=(
            FAILING_RUN,
            step("evidence export A ../../export", again=frozenset({2})),
            step("evidence export A ../../export.tar", again=frozenset({2})),
        ),
        after=(step("evidence verify --dir ../../export"),),
        done=(),
        ends=("export", "export.tar"),
    ),
    Flow(
        name="approval",
        what="a change waits for a person, is approved, and lands",
        policy=GATES + f'[tiers.P1.approval]\ncount = 1\napprovers = ["{PERSON}"]\n',
        before=BEGUN,
        tasks=(task("A"),),
        steps=(
            FAILING_RUN,
            step("approve A", user="grace", again=frozenset({1})),
            RUN,
        ),
        done=("A",),
    ),
    Flow(
        name="sync",
        what="two clones run one team whose ledger is at a remote, and agree",
        policy=GATES + REMOTE + "ledger = true\n",
        hub=True,
        clones=("a", "b"),
        before=(*BEGUN, step("init", at="b")),
        tasks=(task("A"), task("B", needs=("A",))),
        steps=(RUN, step("run", at="b")),
        done=("A", "B"),
    ),
    Flow(
        name="pull-request",
        what="what landed is pushed, and a pull request is opened for it, once",
        policy=GATES + REMOTE + PULLS,
        hub=True,
        before=BEGUN,
        tasks=(task("A"),),
        steps=(
            RUN,
            step("push"),
            step("pr A --open"),
            step("pr A --body ../../body.md", again=frozenset({2})),
        ),
        done=("A",),
    ),
    Flow(
        name="clean",
        what="what a killed run left is removed by hand",
        policy=GATES,
        before=(*BEGUN, step("run", dies="tips.asked")),
        tasks=(task("A"),),
        steps=(step("clean --apply --caches"),),
        after=(RUN,),
        done=("A",),
    ),
    Flow(
        name="drop",
        what="a person gives kept work up",
        policy=TESTS,
        before=(*BEGUN, RUN),
        tasks=(task("A", BAD, write("a", "A\n")),),
        steps=(step("preserved drop --yes {kept}", again=frozenset({2})),),
        after=(RUN,),
        done=("A",),
        dropped=True,
        packed=True,
    ),
    Flow(
        name="stop",
        what="a killed run's worker goes on; it is stopped, its work kept, and tried again",
        policy=GATES,
        before=BEGUN,
        tasks=(task("A", (*write("bad", "kept\n"), HANG), write("a", "A\n")),),
        steps=(
            step("run", until="witness"),
            step("stop"),
            step("resume"),
            RUN,
        ),
        done=("A",),
    ),
    Flow(
        name="land",
        what="a person's branch and clean checkout follow the team's",
        policy=GATES,
        before=(*BEGUN, RUN),
        tasks=(task("A"),),
        steps=(step("land"),),
        done=("A",),
        ends=("a/repo/a",),
    ),
    Flow(
        name="tips",
        what="a worker leaves a daemon, commits by itself, and fails: its commits are kept",
        policy=TESTS,
        before=BEGUN,
        tasks=(task("A", (DAEMON, *BAD, COMMIT), (DAEMON, *write("a", "A\n"), COMMIT)),),
        steps=(RUN,),
        done=("A",),
        landed={"a": "A\n"},
    ),
    Flow(
        name="sparse",
        what="a room holds only the files that its task is about",
        policy=GATES + "[workspace]\nsparse = true\n",
        files={"x/in.txt": "in\n", "y/out.txt": "out\n"},
        before=BEGUN,
        tasks=(task("A", write("x/a", "A\n"), paths=("x/**",)),),
        steps=(RUN,),
        done=("A",),
        landed={"x/a": "A\n", "y/out.txt": "out\n"},
    ),
    Flow(
        name="setup",
        what="a set-up is kept, a room goes into the pool, and the next is made from both",
        policy=TESTS + SETUP,
        files={**MANY, ".gitignore": "made\n"},
        only=(
            "pool",
            "runtime.workspace.setup",
            "copies",
            "likeness",
            "setup.",
            "room.kept",
            "gate.aside",
        ),
        before=BEGUN,
        tasks=(task("A"), task("B", needs=("A",))),
        steps=(RUN,),
        done=("A", "B"),
    ),
)

"""The table. The order matters only where a moment is killed in one flow: in the first."""
