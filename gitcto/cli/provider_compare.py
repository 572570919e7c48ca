"""``git cto provider stage compare``: the same tasks, done by several providers, and recorded."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcto.cli.app import DEFAULT_TEAM, App
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.persons import refuse_worker
from gitcto.cli.scratch import git_in, scratch_environment
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.cli.host import Host
    from gitcto.model.provider_records import Admission, Compared
    from gitcto.policy.records import Policy
    from gitcto.runtime.host.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixture:
    """The artificial repository that everybody works in, its ``plan`` file, and a hash of both."""

    place: Path
    plan: Path
    policy: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """One provider of policy that does the tasks; ``problem`` is why it cannot."""

    name: str
    plugin: str
    digest: str = ""
    admission: Admission | None = None
    problem: str = ""


@click.command()
@click.argument("name")
@click.option("--fixture", required=True, metavar="DIR", help="A repository with a policy.toml.")
@click.option(
    "--plan", default="plan.toml", show_default=True, metavar="FILE", help="Its plan, in DIR."
)
@team_option
@json_option
@pass_app
def compare(  # noqa: PLR0913  # one for each option
    app: App, name: str, *, fixture: str, plan: str, team: str | None, as_json: bool
) -> None:
    """Let provider NAME do the tasks of a fixture, and fake, codex and pi the same ones.

    Each works in a clone of its own in a temporary directory, through an ordinary run under the
    fixture's policy, and is judged by the fixture's gates. What came of it is recorded. Nothing of
    this repository is touched, and nobody is promoted by it. Exit 1 when NAME landed less than all.
    """
    from gitcto.cli.record import record
    from gitcto.cli.requests import run_context
    from gitcto.model.provider_commands import RecordComparison

    refuse_worker(app.host.environ, "compare it")
    given = _fixture(app.host.cwd / fixture, plan)
    with run_context(app, app.team(team)) as context:
        runners = list(_runners(context, name))
    results = []
    for runner in runners:
        app.output.talk(f"{runner.name} (plugin {runner.plugin}) …")
        results.append(_result(app, given, runner, context.policy))
    comparison = app.effects.new_id()
    with app.ledger(team) as ledger:
        record(
            ledger,
            RecordComparison(
                provider=name, comparison=comparison, plan=given.digest, results=tuple(results)
            ),
        )
    _say(app, comparison, results, as_json=as_json)
    if results[0].landed < results[0].tasks or not results[0].tasks:
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _fixture(place: Path, plan: str) -> _Fixture:
    policy, tasks = place / "policy.toml", place / plan
    try:
        content, planned = policy.read_bytes(), tasks.read_bytes()
    except OSError as error:
        raise CtoError(
            f"{error.filename}: {error.strerror}",
            "a fixture is a repository with a policy.toml and a plan",
            ExitCode.USAGE,
        ) from error
    digest = hashlib.sha256(content + b"\0" + planned).hexdigest()
    return _Fixture(place=place, plan=tasks, policy=content, digest=digest)


def _runners(context: Context, name: str) -> Iterator[_Runner]:
    """Yield the provider, and one of each plugin that the last stage wants a comparison with."""
    from gitcto.cli.provider import configured
    from gitcto.policy.stages import stages

    yield _runner(context, configured(context, name))
    asked = stages().order[-2].promotion
    configured_as = {
        each.plugin: key for key, each in reversed([*context.policy.providers.items()])
    }
    for plugin in asked.compared_with if asked else ():
        other = configured_as.get(plugin, "")
        if not other:
            problem = "policy.toml has no provider of this plugin"
            yield _Runner(name=plugin, plugin=plugin, problem=problem)
        elif other != name:
            yield _runner(context, other)


def _runner(context: Context, name: str) -> _Runner:
    from gitcto.runtime.agents.backends import look
    from gitcto.runtime.loop.selecting import admission_of

    found, team = look(context, name), context.ledger.view().team
    plugin = context.policy.providers[name].plugin
    return _Runner(
        name=name,
        plugin=plugin,
        digest=found.digest,
        admission=admission_of(team, name, plugin),
        problem=found.unavailable or ("" if found.plugin else "no plugin provides it"),
    )


def _result(app: App, fixture: _Fixture, runner: _Runner, policy: Policy) -> Compared:
    """Let one provider do the tasks, in a clone that is gone afterwards."""
    from gitcto.model.provider_records import Compared

    began = app.effects.monotonic_s()
    if runner.problem:
        landed, tasks, attempts, detail = 0, 0, 0, runner.problem
    else:
        with tempfile.TemporaryDirectory(prefix="git-cto-", dir=app.host.temporary) as scratch:
            host = app.host._replace(
                directory=str(Path(scratch) / "repository"),
                environ=scratch_environment(app.host.environ, Path(scratch)),
            )
            tasks, landed, attempts, detail = _work(app, host, fixture, runner, policy)
    return Compared(
        provider=runner.name,
        plugin=runner.plugin,
        tasks=tasks,
        landed=landed,
        attempts=attempts,
        seconds=int(app.effects.monotonic_s() - began),
        digest=runner.digest,
        detail=detail,
    )


def _work(
    app: App, host: Host, fixture: _Fixture, runner: _Runner, policy: Policy
) -> tuple[int, int, int, str]:
    """Run the plan; return tasks, how many landed, attempts, and what went wrong first."""
    from gitcto.cli.record import record
    from gitcto.model.provider_commands import AdmitProvider
    from gitcto.model.records import TaskState
    from gitcto.policy.variant import for_one_provider

    git_in(host._replace(directory=str(fixture.place)), "clone", "-q", ".", host.directory)
    text = for_one_provider(fixture.policy, policy.text, runner.name, runner.plugin)
    (host.cwd / "policy.toml").write_bytes(text)
    _quietly(host, "init")
    inner = type(app)(host)
    if runner.admission is not None:
        with inner.ledger(DEFAULT_TEAM) as ledger:
            record(ledger, AdmitProvider(admission=runner.admission))
    _quietly(host, "plan", "import", str(fixture.plan))
    _quietly(host, "run", "--engine", runner.plugin)
    with type(app)(host).reader(DEFAULT_TEAM) as reader:
        tasks = reader.tasks()
    landed = [task for task in tasks if task.state is TaskState.DONE]
    why = next((f"{t.spec.id}: {t.reason}: {t.detail}" for t in tasks if t not in landed), "")
    return len(tasks), len(landed), sum(task.attempts for task in tasks), why[:300]


def _quietly(host: Host, *words: str) -> None:
    """Run a command of ours, whose output is nobody's; ``CtoError`` when it could not begin."""
    from gitcto.cli.boundary import run

    said, talk = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(talk):
        code = run(words, host)
    if code not in {ExitCode.OK, ExitCode.REFUSED}:
        lines = talk.getvalue().splitlines() or [f"exit {code}"]
        raise CtoError(
            f"`git cto {words[0]}` failed in the fixture: {lines[0].removeprefix('error: ')}",
            "mend the fixture's policy or plan",
        )


def _say(app: App, comparison: str, results: Sequence[Compared], *, as_json: bool) -> None:
    from gitcto.cli.provider import plain_record

    if as_json:
        app.output.json(
            {"comparison": comparison, "results": [plain_record(each) for each in results]}
        )
        return
    app.output.table(
        ("PROVIDER", "LANDED", "ATTEMPTS", "SECONDS", "DETAIL"),
        [
            (
                one.provider,
                f"{one.landed} of {one.tasks}",
                str(one.attempts),
                str(one.seconds),
                one.detail,
            )
            for one in results
        ],
    )
    app.output.hint(f"comparison {comparison} is recorded; the next one takes its place")
