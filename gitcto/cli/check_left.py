"""What ``doctor`` says of what runs left, and of branches, refs and processes beside the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.cli.checks import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.runtime.host.layout import Layout

_BY_ITSELF = "`git cto run` does that by itself; `git cto resume` shows all that it will do"
_OF_NOBODY = "`git cto clean` says whether it may go; nothing else touches it"


def left(app: App, name: str) -> Iterator[Finding]:
    """Say what the next run makes of what the last one left."""
    from gitcto.cli.resume import WHAT, steps_of
    from gitcto.git.lock import is_held

    subject = f"team {name}"
    layout = _layout(app, name)
    if layout is None:
        return
    if is_held(layout.run_lock):
        yield Finding(subject, True, "a run is alive, and goes on with what it has")
        return
    for step in steps_of(app, name):
        whose = step.task or step.execution
        found = f"{whose}: {step.why} (the next run will {WHAT[step.action]}; work: {step.keeps})"
        yield Finding(subject, True, found, _OF_NOBODY if step.action == "unknown" else _BY_ITSELF)


def history(app: App, name: str) -> Iterator[Finding]:
    """Compare the branch with the ledger. Raises ``CtoError`` when one of them is older."""
    from gitcto.git.process import trusted
    from gitcto.git.refs import Refs
    from gitcto.runtime.team.branch_history import refuse_lost_target, refuse_unknown_landings

    git, refs = trusted(app.repository), Refs(app.repository)
    with app.reader(name) as reader:
        team = reader.view().team
        if team is None:
            return
        refuse_lost_target(reader, git, refs, team.target)
        refuse_unknown_landings(reader, git, refs, team.target)
    branch = team.target.removeprefix("refs/heads/")
    yield Finding(f"team {name}", True, f"{branch} and the ledger tell the same history")


def kept(app: App, name: str) -> Iterator[Finding]:
    """Compare the refs that keep work with what the ledger says is kept."""
    from gitcto.git.objects import Objects
    from gitcto.git.refs import Refs
    from gitcto.runtime.workspace.preserved import kept_work, lost_refs
    from gitcto.store.shared import joined

    subject, layout = f"team {name}", _layout(app, name)
    if layout is None:
        return
    refs, objects = Refs(app.repository), Objects(app.repository)
    elsewhere = bool(joined(app.repository, name))
    with app.reader(name) as reader:
        for one in kept_work(layout, refs, reader):
            if one.execution is None:
                found = f"{one.ref} keeps work of an attempt that the ledger does not know"
                hint = f"look with `git show {one.commit[:12]}`; nothing removes it"
                yield Finding(subject, True, found, hint)
        for x in lost_refs(layout, refs, reader):
            found = f"{x.task}: the ref that kept its work is gone: {x.preserved}"
            if objects.has(x.work):
                yield Finding(subject, True, found, f"{_BY_ITSELF}: its work is still there")
            elif not elsewhere:
                hint = f"fetch {x.work[:12]} from a clone that has it"
                yield Finding(subject, False, f"{found}, and its work too", hint)


def strays(app: App, name: str) -> Iterator[Finding]:
    """Name the processes of workers whose records are gone."""
    from gitcto.runtime.worker import processes, run_files

    layout = _layout(app, name)
    if layout is None:
        return
    mark = f"{run_files.MARKER}={layout.executions.resolve()}/".encode()
    for pid, entries in processes.environments(processes.table()).items():
        for entry in entries:
            execution = entry.removeprefix(mark).decode(errors="replace")
            if entry.startswith(mark) and not layout.records(execution).exists():
                found = f"process {pid} is of {execution}, whose records are gone"
                hint = f"look with `ps -fp {pid}`; nobody waits for it"
                yield Finding(f"team {name}", True, found, hint)


def pushed(app: App, name: str) -> Iterator[Finding]:
    """Say what landed and did not reach the remote that policy names."""
    from gitcto.cli.pushed import where
    from gitcto.runtime.core.push_record import NOT_PUSHED

    if not app.policy().remote.name:
        return
    with app.reader(name) as reader:
        behind = [task for task in reader.tasks() if task.push.startswith(NOT_PUSHED)]
        still = [task.spec.id for task in behind if where(reader, task).startswith(NOT_PUSHED)]
    if still:
        found = f"landed and not pushed: {', '.join(still[:3])}"
        yield Finding(f"team {name}", True, found, "the next landing, or `git cto push`, takes all")


def _layout(app: App, name: str) -> Layout | None:
    """Return where a team's things lie; None before its first run, which decides that."""
    from gitcto.cli.requests import rooms_root
    from gitcto.runtime.host.clone import known_clone
    from gitcto.runtime.host.layout import Layout

    if not known_clone(app.repository):
        return None
    return Layout(app.repository, name, rooms_root(app.host, app.repository))


CHECKS = (left, history, kept, strays, pushed)
"""Everything that is looked at for one team, each by itself."""
