"""``git cto evidence``: what proves that a task is done, and whether it still does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gitcto.cli.app import App
    from gitcto.evidence.manifest import Found, Refusal
    from gitcto.model.records import Execution, Task
    from gitcto.runtime.proving.proof_evidence import Signers
    from gitcto.store.reader import LedgerReader

_REPORT, _REPORT_DATA = "report.md", "report.json"
_SIGNERS = "gpg.ssh.allowedSignersFile"

attempt_option = click.option(
    "--attempt", type=click.IntRange(1), metavar="N", help="The evidence of attempt N."
)
signers_option = click.option(
    "--allowed-signers",
    metavar="FILE",
    help=f"Whose signatures count, instead of git's {_SIGNERS}.",
)


@click.group(
    cls=LazyGroup,
    rows=(
        Row("show", "Show a task's evidence.", f"{__name__}:show", "Ask"),
        Row("verify", "Check a task's evidence against git.", f"{__name__}:verify", "Ask"),
        Row("export", "Write a task's evidence to files.", f"{__name__}:export", "Ask"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def evidence() -> None:
    """Show, verify or export what proves a task."""


@click.command()
@click.argument("task")
@click.argument("file", required=False)
@attempt_option
@team_option
@json_option
@pass_app
def show(  # noqa: PLR0913  # one for each option
    app: App, task: str, file: str | None, *, attempt: int | None, team: str | None, as_json: bool
) -> None:
    """Show the evidence of TASK's last attempt: its report and its files, or one FILE of it."""
    from gitcto.git.objects import Objects
    from gitcto.store import bundle

    tree = _tree(app, task, attempt, team)
    objects = Objects(app.repository)
    if file is not None:
        app.output.raw(bundle.read_file(objects, tree, file))
        return
    files = bundle.read(objects, tree)
    if as_json:
        sizes = {path: len(content) for path, content in sorted(files.items())}
        report = json.loads(files.get(_REPORT_DATA, b"null"))
        app.output.json({"task": task, "evidence": tree, "files": sizes, "report": report})
        return
    for line in files.get(_REPORT, b"").decode("utf-8", "replace").splitlines():
        app.output.data(visible(line))
    if _REPORT in files:
        app.output.data()
    app.output.table(("BYTES", "FILE"), [(str(len(files[path])), path) for path in sorted(files)])
    app.output.hint(f"one file: `git cto evidence show {task} FILE`")


@click.command()
@click.argument("task")
@click.argument("place", metavar="DIR|FILE.tar")
@attempt_option
@team_option
@pass_app
def export(app: App, task: str, place: str, *, attempt: int | None, team: str | None) -> None:
    """Write the evidence of TASK's last attempt to a new directory, or to a new FILE.tar.

    Nothing is written over. The same evidence gives the same tar file. To undo it, delete what was
    written: the ledger keeps the evidence.
    """
    from gitcto.git.objects import Objects
    from gitcto.store import bundle, bundle_files

    tree = _tree(app, task, attempt, team)
    goal = app.host.cwd / place
    bundle_files.export(bundle.read(Objects(app.repository), tree), goal)
    app.output.data(visible(f"evidence {tree[:12]} of {task} is in {place}"))
    app.output.hint(f"undo: delete {visible(place)}")


@click.command()
@click.argument("task", required=False)
@attempt_option
@click.option("--dir", "directory", metavar="DIR", help="Check the exported evidence in DIR.")
@signers_option
@team_option
@json_option
@pass_app
def verify(  # noqa: PLR0913  # one for each option
    app: App,
    task: str | None,
    *,
    attempt: int | None,
    directory: str | None,
    allowed_signers: str | None,
    team: str | None,
    as_json: bool,
) -> int:
    """Check that TASK is done as its evidence says, from git's objects alone.

    The ledger's chain and the evidence must be whole; the evidence must be about this attempt, this
    tree, this policy, and fresh; the landed commit must be in the target, carry the task's trailers
    and hold what every gate passed; and the policy of that time must decide the same again. With
    --attempt, only the evidence of that attempt is checked, landed or not. With --dir, the files in
    DIR are: against the ledger when a TASK is named, else by themselves, without a repository. Exit
    1 when something is not as recorded.
    """
    if directory is None and task is None:
        raise CtoError(
            "nothing is named to verify",
            "name a task, or give --dir DIR with exported evidence",
            ExitCode.USAGE,
        )
    if task is None:
        return _alone(app, app.host.cwd / str(directory), allowed_signers, as_json=as_json)
    signers = _signers(app, allowed_signers, at_home=True)
    if directory is None and attempt is None:
        return _prove(app, task, team, signers, as_json=as_json)
    place = None if directory is None else app.host.cwd / directory
    with app.reader(team) as reader:
        found = app.task(reader, task)
        execution = _attempt(reader, found, attempt)
        refused = _refusals(reader, found, execution, _files(app, execution, place), signers)
    what = f"evidence of attempt {execution.attempt} at {task}"
    return _answer(app, what, refused, as_json=as_json)


def _alone(app: App, place: Path, allowed_signers: str | None, *, as_json: bool) -> int:
    from gitcto.runtime.proving.proof_evidence import check_alone
    from gitcto.store.bundle_files import from_directory

    signers = _signers(app, allowed_signers, at_home=False)
    refused = check_alone(from_directory(place), signers)
    return _answer(app, f"evidence in {place}, by itself,", refused, as_json=as_json)


def _prove(app: App, task: str, team: str | None, signers: Signers, *, as_json: bool) -> int:
    from gitcto.runtime.proving.proof import prove

    with app.ledger(team) as ledger:
        proof = prove(ledger, app.task(ledger, task), signers)
    bad = [claim for claim in proof if not claim.true]
    if as_json:
        listed = [{"claim": each.text, "true": each.true, "found": each.found} for each in proof]
        refusals = _plain(refusal for each in proof for refusal in each.refusals)
        told = {"task": task, "verified": not bad, "claims": listed, "refusals": refusals}
        app.output.json(told)
    else:
        for each in proof:
            why = "" if each.true or not each.found else f": {visible(each.found)}"
            app.output.data(f"{'ok   ' if each.true else 'FALSE'} {each.text}{why}")
    if bad and not as_json:
        app.output.hint(f"`git cto show {task}` and `git cto log --task {task}` say what happened")
    return ExitCode.REFUSED if bad else ExitCode.OK


def _answer(app: App, what: str, refused: Sequence[Refusal], *, as_json: bool) -> int:
    if as_json:
        app.output.json({"verified": not refused, "refusals": _plain(refused)})
    else:
        for one in refused:
            app.output.data(f"FALSE {one.code}: {visible(one.detail)}")
        if not refused:
            app.output.data(visible(f"ok    {what} is whole"))
    return ExitCode.REFUSED if refused else ExitCode.OK


def _plain(refused: Iterable[Refusal]) -> list[dict[str, str]]:
    return [{"code": one.code, "detail": one.detail} for one in refused]


def _refusals(
    reader: LedgerReader, task: Task, execution: Execution, found: list[Found], signers: Signers
) -> list[Refusal]:
    from gitcto.runtime.proving.proof_evidence import check_attempt

    return check_attempt(reader, task, execution, found, signers)


def _files(app: App, execution: Execution, place: Path | None) -> list[Found]:
    from gitcto.git.objects import Objects
    from gitcto.runtime.proving.proof_evidence import evidence_of
    from gitcto.store import bundle, bundle_files

    if place is not None:
        return bundle_files.from_directory(place)
    return bundle.found(Objects(app.repository), evidence_of(execution))


def _signers(app: App, given: str | None, *, at_home: bool) -> Signers:
    """Return whose signatures count; git's own setting is asked inside a repository only."""
    from gitcto.runtime.proving.proof_evidence import Signers

    if given is not None:
        return Signers(environ=app.host.environ, allowed=str(app.host.cwd / given))
    allowed = ""
    if at_home:
        from gitcto.git.user_config import user_path

        allowed = user_path(app.repository, app.host.environ, _SIGNERS)
    return Signers(environ=app.host.environ, allowed=allowed)


def _tree(app: App, task: str, attempt: int | None, team: str | None) -> str:
    from gitcto.runtime.proving.proof_evidence import evidence_of

    with app.reader(team) as reader:
        found = app.task(reader, task)
        if attempt is None and found.evidence:
            return found.evidence
        return evidence_of(_attempt(reader, found, attempt))


def _attempt(reader: LedgerReader, task: Task, number: int | None) -> Execution:
    """Return an attempt that has evidence: the one that is meant, or the last."""
    from gitcto.runtime.proving.proof_evidence import evidence_of

    attempts = reader.executions(task.spec.id)
    asked = [each for each in attempts if number in {None, each.attempt}]
    cited = [each for each in asked if evidence_of(each)]
    if cited:
        return cited[-1]
    which = "" if number is None else f"attempt {number} at "
    raise CtoError(
        f"there is no evidence of {which}{task.spec.id} yet: it is {task.state.value}",
        f"`git cto show {task.spec.id}` says how it stands",
        ExitCode.REFUSED,
    )
