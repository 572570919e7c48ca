"""``git cto plan draft`` and what a person says of a draft: an agent proposes, nothing runs yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.persons import refuse_worker
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.cli.app import App
    from gitcto.model.draft_records import Asked, Draft
    from gitcto.runtime.team.drafts import Content
    from gitcto.store.reader import LedgerReader

_SHORT = 8
_SHORTEST = 4
_SHOWN = 60

_Kept = TypeVar("_Kept", "Draft", "Draft | Asked")

_draft_argument = click.argument("draft")


@click.command()
@click.argument("objective")
@click.option("--provider", required=True, metavar="NAME", help="Ask this provider of the policy.")
@click.option("--strategy", metavar="NAME", default="", help="Have its tasks done by this one.")
@click.option("--revise", metavar="DRAFT", help="Show it this draft, and what is wrong with it.")
@team_option
@json_option
@pass_app
def draft(  # noqa: PLR0913 - one parameter for each option
    app: App,
    *,
    objective: str,
    provider: str,
    strategy: str,
    revise: str | None,
    team: str | None,
    as_json: bool,
) -> None:
    """Ask an agent to divide OBJECTIVE into tasks.

    It reads a checkout of the team's branch, in a sandbox, and changes nothing. Its plan is checked
    and kept, and waits for `git cto plan approve`, unless policy approves of drafts itself. Exit 1
    when something is wrong with it.
    """
    from gitcto.cli.requests import run_context
    from gitcto.cli.signals import interruptible
    from gitcto.cli.views import Lines
    from gitcto.policy.plans import AUTO, POLICY
    from gitcto.runtime.team.drafts import Wish, approve_draft, content_of, draft_plan

    refuse_worker(app.host.environ, "decide about drafts")
    with run_context(app, app.team(team)) as context:
        revised = _found(context.ledger, revise) if revise else None
        wish = Wish(objective=objective, provider=provider, revises=revised, strategy=strategy)
        listener = Lines(app.output)
        note = "ending the agent (once more: end at once, it is taken up later)"
        with interruptible(lambda: listener.note(note)) as interrupted:
            made = draft_plan(context, wish, listener, interrupted)
        content = content_of(context.objects, made)
        automatic = context.policy.plans.approve_drafts == AUTO and not made.problems
        if automatic:
            approve_draft(context.ledger, context.objects, context.policy, made, POLICY)
    _show(app, made, content, as_json=as_json, approved=automatic)
    if made.problems:
        raise _wrong(made)
    app.output.hint(_next(made, approved=automatic))


def _next(made: Draft, *, approved: bool) -> str:
    """Return what a person does about a draft that is sound."""
    if approved:
        return "policy approved it; go on with `git cto run`"
    name = _short(made)
    return (
        f"nothing runs before `git cto plan approve {name}`; `git cto plan reject {name}` drops it"
    )


@click.command()
@team_option
@json_option
@pass_app
def drafts(app: App, *, team: str | None, as_json: bool) -> None:
    """List the drafts that wait for a person."""
    with app.reader(team) as reader:
        known = reader.view().team
        waiting = list(known.drafts.values()) if known else []
        asked = list(known.asked.values()) if known else []
    if as_json:
        plain = [{name: getattr(each, name) for name in each.__struct_fields__} for each in asked]
        app.output.json({"drafts": [_plain(each) for each in waiting], "asked": plain})
        return
    for each in asked:
        app.output.data(f"{_short(each)} is asked of {each.provider}: {visible(_line(each))}")
    if not waiting:
        app.output.data("No draft waits")
    else:
        app.output.table(
            ("DRAFT", "BY", "TASKS", "PROBLEMS", "OBJECTIVE"),
            [
                (_short(each), each.provider, str(each.tasks), str(each.problems), _line(each))
                for each in waiting
            ],
        )
        app.output.hint("`git cto plan show-draft DRAFT` shows one")


@click.command("show-draft")
@_draft_argument
@click.option("--answer", is_flag=True, help="Show the agent's own words instead.")
@team_option
@json_option
@pass_app
def show_draft(app: App, draft: str, *, answer: bool, team: str | None, as_json: bool) -> None:
    """Show the tasks of a DRAFT, and everything that is wrong with it."""
    from gitcto.git.objects import Objects
    from gitcto.runtime.team.drafts import content_of

    with app.reader(team) as reader:
        found = _found(reader, draft)
    content = content_of(Objects(app.repository), found)
    if answer:
        for line in content.answer.splitlines():
            app.output.data(visible(line))
        return
    _show(app, found, content, as_json=as_json, approved=False)
    _warn_if_moved(app, found, team)


@click.command()
@_draft_argument
@team_option
@pass_app
def approve(app: App, draft: str, *, team: str | None) -> None:
    """Add the tasks of DRAFT to the team, all of them or none.

    It is checked once more, under the policy as it is now.
    """
    from gitcto.git.objects import Objects
    from gitcto.runtime.team.drafts import approve_draft

    refuse_worker(app.host.environ, "decide about drafts")
    with app.ledger(team) as ledger:
        found = _found(ledger, draft)
        objects = Objects(app.repository)
        added = approve_draft(ledger, objects, app.policy(), found, app.host.actor)
    _warn_if_moved(app, found, team)
    count = "1 task" if len(added) == 1 else f"{len(added)} tasks"
    app.output.data(f"Approved draft {_short(found)}: {count} added ({visible(', '.join(added))})")
    app.output.hint("go on with `git cto run`; what was approved stays in the ledger")


@click.command()
@_draft_argument
@click.option("--reason", metavar="TEXT", default="", help="Why, for the ledger.")
@team_option
@pass_app
def reject(app: App, draft: str, *, reason: str, team: str | None) -> None:
    """Drop DRAFT. What the agent answered stays in the ledger."""
    from gitcto.cli.record import record
    from gitcto.model.draft_commands import RejectDraft
    from gitcto.model.draft_records import Draft

    refuse_worker(app.host.environ, "decide about drafts")
    with app.ledger(team) as ledger:
        known = ledger.view().team
        waiting: dict[str, Draft | Asked] = {**known.drafts, **known.asked} if known else {}
        found = _meant(waiting, draft)
        record(ledger, RejectDraft(draft=found.id, by=app.host.actor, reason=reason))
    app.output.data(f"Rejected draft {_short(found)}")
    if isinstance(found, Draft):
        app.output.hint(f"its plan stays readable: `git cat-file blob {found.plan[:12]}`")
    else:
        app.output.hint("the next `git cto run` ends its agent and clears its room away")


def _found(reader: LedgerReader, wanted: str) -> Draft:
    """Return the draft that is meant, by its id or the end of it."""
    team = reader.view().team
    return _meant(team.drafts if team else {}, wanted)


def _meant(waiting: Mapping[str, _Kept], wanted: str) -> _Kept:
    fitting = [each for name, each in waiting.items() if name.endswith(wanted.lower())]
    if len(fitting) == 1 and len(wanted) >= _SHORTEST:
        return fitting[0]
    listed = ", ".join(_short(each) for each in waiting.values()) or "none"
    raise CtoError(f"no draft {wanted!r} waits for a word", f"these do: {listed}", ExitCode.USAGE)


def _wrong(made: Draft) -> CtoError:
    count = "1 problem" if made.problems == 1 else f"{made.problems} problems"
    short = _short(made)
    return CtoError(
        f"draft {short} has {count}, so it cannot be approved: {made.first_problem}",
        f'`git cto plan draft --revise {short} --provider {made.provider} "…"` asks again; '
        f"`git cto plan show-draft {short} --answer` shows what it said",
        ExitCode.REFUSED,
    )


def _show(app: App, made: Draft, content: Content, *, as_json: bool, approved: bool) -> None:
    out = app.output
    if as_json:
        out.json({"draft": _plain(made) | {"approved": approved} | _contents(content)})
        return
    out.data(f"Draft {_short(made)} by {made.provider}: {visible(_line(made))}")
    if content.drafted.summary:
        out.data(visible(content.drafted.summary))
    if content.drafted.tasks:
        out.data()
        out.table(
            ("#", "TASK", "TIER", "ROLE", "AFTER", "PATHS", "TITLE"),
            [
                (
                    str(number),
                    task.id,
                    task.tier,
                    task.role,
                    ",".join(task.depends_on) or "-",
                    ",".join(task.paths) or "-",
                    task.title,
                )
                for number, task in enumerate(content.drafted.tasks, 1)
            ],
        )
    if content.problems:
        out.data()
        out.data("What is wrong with it:")
        for problem in content.problems:
            out.data(f"  {visible(problem)}")


def _warn_if_moved(app: App, found: Draft, team: str | None) -> None:
    from gitcto.git.refs import Refs

    with app.reader(team) as reader:
        known = reader.view().team
    tip = Refs(app.repository).read(known.target) if known else None
    if tip not in (None, found.base):
        app.output.warn(
            f"the branch has moved since it was drafted (then {found.base[:12]}, now {tip[:12]})"
        )


def _plain(one: Draft) -> dict[str, object]:
    return {
        "id": one.id,
        "objective": one.objective,
        "provider": one.provider,
        "base": one.base,
        "policy": one.policy,
        "digest": one.digest,
        "tasks": one.tasks,
        "problems": one.problems,
        "revises": one.revises,
        "by": one.by,
        "created_ms": one.created_ms,
    }


def _contents(content: Content) -> dict[str, object]:
    return {
        "summary": content.drafted.summary,
        "plan": [
            {
                "id": task.id,
                "title": task.title,
                "prompt": task.prompt,
                "depends_on": list(task.depends_on),
                "role": task.role,
                "tier": task.tier,
                "priority": task.priority,
                "strategy": task.strategy,
                "paths": list(task.paths),
            }
            for task in content.drafted.tasks
        ],
        "wrong": list(content.problems),
    }


def _short(one: Draft | Asked) -> str:
    return one.id[-_SHORT:]


def _line(one: Draft | Asked) -> str:
    line = " ".join(one.objective.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
