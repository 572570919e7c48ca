"""``git cto preserved``: work that did not land, to look at, to take back or to give up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import click

from gitcto.cli import wording
from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.git.process import Git
    from gitcto.git.refs import Refs
    from gitcto.runtime.host.layout import Layout
    from gitcto.runtime.workspace.preserved import Kept
    from gitcto.store.reader import LedgerReader

_SHOWN = 12


@click.group(
    cls=LazyGroup,
    rows=(
        Row("list", "List what is kept.", f"{__name__}:list_", "Ask"),
        Row("show", "Show one: what changed, and why it failed.", f"{__name__}:show", "Ask"),
        Row("restore", "Make a branch of it.", f"{__name__}:restore", "Act"),
        Row("drop", "Give it up for good.", f"{__name__}:drop", "Act"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def preserved() -> None:
    """List, show, restore or drop work that did not land."""


class _Store(NamedTuple):
    """Where a team's kept work is looked up."""

    layout: Layout
    refs: Refs
    git: Git

    @classmethod
    def of(cls, app: App, team: str) -> Self:
        from gitcto.cli.requests import rooms_root
        from gitcto.git.process import trusted
        from gitcto.git.refs import Refs
        from gitcto.runtime.host.layout import Layout

        repository = app.repository
        layout = Layout(repository, team, rooms_root(app.host, repository))
        return cls(layout, Refs(repository), trusted(repository))

    def kept(self, reader: LedgerReader) -> list[Kept]:
        from gitcto.runtime.workspace.preserved import kept_work

        return kept_work(self.layout, self.refs, reader)

    def one(self, reader: LedgerReader, wanted: str) -> Kept:
        from gitcto.runtime.workspace.preserved import find

        return find(self.kept(reader), wanted, self.layout.preserved_prefix)

    def changed(self, kept: Kept) -> int:
        """Return how many files differ from what the attempt began with."""
        from gitcto.git.trees import changes

        if kept.execution is not None and kept.commit == kept.execution.work:
            return kept.execution.changed or len(changes(self.git, _base(kept), kept.commit))
        return len(changes(self.git, _base(kept), kept.commit))


@click.command("list")
@team_option
@json_option
@pass_app
def list_(app: App, *, team: str | None, as_json: bool) -> None:
    """List what is kept: attempts that failed, and commits that a worker left behind."""
    with app.reader(team) as reader:
        store = _Store.of(app, reader.team)
        rows = [(each, store.changed(each)) for each in store.kept(reader)]
    if as_json:
        app.output.json({"preserved": [_plain(each, changed) for each, changed in rows]})
        return
    if not rows:
        app.output.data("Nothing is kept")
        return
    now = app.effects.now_ms()
    app.output.table(
        ("ID", "TASK", "AGE", "FILES", "WHY"),
        [
            (
                _short(each),
                each.execution.task if each.execution else "-",
                wording.age(_since_ms(each), now) if each.execution else "-",
                str(changed),
                _why(each),
            )
            for each, changed in rows
        ],
    )
    app.output.hint("look with `git cto preserved show ID`, take back with `restore ID`")


@click.command()
@click.argument("id_", metavar="ID")
@team_option
@json_option
@pass_app
def show(app: App, id_: str, *, team: str | None, as_json: bool) -> None:
    """Show ID: which files it changes, and why it did not land.

    ID is as `git cto preserved list` has it; a commit in it may be cut short.
    """
    from gitcto.git.trees import stat

    with app.reader(team) as reader:
        store = _Store.of(app, reader.team)
        kept = store.one(reader, id_)
    summary = stat(store.git, _base(kept), kept.commit)
    if as_json:
        app.output.json({**_plain(kept, store.changed(kept)), "stat": summary.splitlines()})
        return
    execution = kept.execution
    facts = [("id", kept.id), ("commit", kept.commit), ("ref", kept.ref)]
    if execution is not None:
        facts += [("task", f"{execution.task}, attempt {execution.attempt}")]
        facts += [("kept", wording.moment(_since_ms(kept)))]
    for label, value in (*facts, ("why", _why(kept))):
        app.output.data(f"{label:<7} {visible(value)}")
    app.output.data()
    for line in summary.splitlines():
        app.output.data(visible(line))
    app.output.hint(f"the whole patch: `git diff {_base(kept)[:_SHOWN]} {kept.commit[:_SHOWN]}`")


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--branch", metavar="NAME", help="Name of the branch; restored/TASK-ATTEMPT if none.")
@team_option
@pass_app
def restore(app: App, id_: str, *, branch: str | None, team: str | None) -> None:
    """Make a branch at ID. No checkout is touched, and the work stays kept."""
    from gitcto.runtime.workspace import preserved as runtime_preserved

    with app.reader(team) as reader:
        kept = _Store.of(app, reader.team).one(reader, id_)
    name = _branch(kept) if branch is None else branch
    made = runtime_preserved.restore(app.repository, kept, name)
    verb = "is now" if made else "was already"
    app.output.data(visible(f"Branch {name} {verb} at {kept.commit[:_SHOWN]}"))
    if made:
        app.output.hint(f"undo it with `git branch -D {visible(name)}`; the work stays kept")


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", metavar="TEXT", default="", help="Why, for the ledger.")
@team_option
@pass_app
def drop(app: App, id_: str, *, yes: bool, reason: str, team: str | None) -> None:
    """Give up ID for good, after asking. The ledger remembers who did it; the ref goes.

    Until git removes the commit (`git gc`, weeks later), its id in `git cto log` still finds it.
    """
    from gitcto.cli.record import refused
    from gitcto.runtime.workspace import preserved as runtime_preserved

    with app.ledger(team) as ledger:
        store = _Store.of(app, ledger.team)
        kept = store.one(ledger, id_)
        if not yes:
            _ask(app, kept, store.changed(kept))
        refusal = runtime_preserved.drop(ledger, store.refs, app.effects, kept, reason)
        if refusal is not None:
            raise refused(refusal)
    app.output.data(f"{_short(kept)} is dropped; it was {kept.commit}")
    app.output.hint(f"take it back with `git branch NAME {kept.commit[:_SHOWN]}` before git gc")


def _ask(app: App, kept: Kept, changed: int) -> None:
    if not app.host.stdin_tty:
        raise CtoError(
            f"dropping {_short(kept)} must be confirmed, and there is no terminal to ask on",
            "add `--yes` when you are sure",
            ExitCode.USAGE,
        )
    task = kept.execution.task if kept.execution else "no task"
    files = "1 file" if changed == 1 else f"{changed} files"
    question = visible(f"Give up the work of {task} in {files}, {kept.commit[:_SHOWN]}?")
    if not click.confirm(question, err=True):
        raise CtoError("nothing was dropped", "it stays kept", ExitCode.REFUSED)


def _base(kept: Kept) -> str:
    return kept.execution.base if kept.execution else f"{kept.commit}^"


def _since_ms(kept: Kept) -> int:
    execution = kept.execution
    return 0 if execution is None else execution.ended_ms or execution.leased_ms


def _short(kept: Kept) -> str:
    execution, slash, commit = kept.id.partition("/")
    return f"{execution}{slash}{commit[:_SHOWN]}"


def _branch(kept: Kept) -> str:
    execution = kept.execution
    name = f"{execution.task}-{execution.attempt}" if execution else kept.id.partition("/")[0]
    return f"restored/{name}-{kept.commit[:_SHOWN]}" if kept.by_worker else f"restored/{name}"


def _why(kept: Kept) -> str:
    if kept.execution is None:
        return "the ledger does not know this attempt"
    if kept.by_worker:
        return f"committed by the worker of an attempt that is {kept.execution.state.value}"
    return wording.why(kept.execution)


def _plain(kept: Kept, changed: int) -> dict[str, object]:
    execution = kept.execution
    return {
        "id": kept.id,
        "ref": kept.ref,
        "commit": kept.commit,
        "execution": execution.id if execution else "",
        "task": execution.task if execution else "",
        "attempt": execution.attempt if execution else 0,
        "by_worker": kept.by_worker,
        "since_ms": _since_ms(kept),
        "files": changed,
        "why": _why(kept),
    }
