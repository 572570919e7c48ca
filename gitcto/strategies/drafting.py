"""Asking an agent for a plan: what it is told, the form of its answer, and the reading of it. Pure.

A drafted plan is material for a person: it is read to the letter, and everything that is wrong with
it is said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from gitcto.model.records import Priority, TaskSpec, Tier
from gitcto.strategies.verdicts import MAX_MESSAGE, json_in

_VERSION = 1
_TIERS: tuple[str, ...] = get_args(Tier)
_PRIORITIES: tuple[str, ...] = get_args(Priority)
_TEXTS = ("id", "title", "prompt", "role", "tier", "priority")
_LISTS = ("depends_on", "paths")
_TASK = frozenset((*_TEXTS, *_LISTS))
_PLAN = frozenset(("version", "summary", "tasks"))

_WORDS = """
You are the planner of a team of coding agents. Read the repository in the current directory, and
divide the objective below into tasks. Each task is done by another agent in a room of its own, on
the branch as it is then, and lands alone after its gates have passed. That agent sees its task's
title and prompt and the code, and nothing of what you read. Change no file.

A good plan has few tasks, each a change that makes sense and can be tested alone. Tasks that
change the same files wait for each other; all others do not. A prompt says what is to be done and
why, which files and functions it is about, what exists and is to be used, and how it is proved:
which test fails without it. What you could not find out is said in the prompt, not guessed."""

_FORM = """
## Your answer

End with one message that is this JSON object and nothing else, or that closes with it in a fenced
block. Every key is required, and no other one is allowed.

```json
{{
  "version": {version},
  "summary": "what the plan does, and what it leaves out",
  "tasks": [
    {{
      "id": "short-name",
      "title": "one line, as the subject of a commit",
      "prompt": "what the agent is told",
      "depends_on": [],
      "role": "one of the roles",
      "tier": "one of the tiers",
      "priority": "normal",
      "paths": ["src/part/**"]
    }}
  ]
}}
```

- `id`: letters, digits, `.`, `-` and `_`, of no task that exists. `depends_on` names ids that must
  land before: of this plan, or of tasks that exist.
- `role` is one of: {roles}. `tier` is one of {tiers}: how grave a mistake would be, P0 most.
- `priority` is one of {priorities}.
- `paths` are the globs that the task may change, as narrow as they can be, and never empty. Nothing
  may change {protected}.
- At most {most} tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRules:
    """What a plan may name: roles, paths that nobody may change, and how many tasks."""

    roles: tuple[str, ...]
    protected: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What an agent answered: the ``tasks`` that could be read, and what could not."""

    summary: str = ""
    tasks: tuple[TaskSpec, ...] = ()
    problems: tuple[str, ...] = ()


def draft_prompt(
    objective: str, rules: DraftRules, existing: Sequence[str], earlier: str = ""
) -> str:
    """Return what a planner is told; ``earlier`` is a draft that it is to make better."""
    parts = [_WORDS.strip(), f"## The objective\n\n{objective.strip()}"]
    if existing:
        parts.append(f"## Tasks that exist\n\n{', '.join(existing)}")
    if earlier:
        parts.append(f"## The draft before, and what is wrong with it\n\n{earlier}")
    form = _FORM.strip().format(
        version=_VERSION,
        roles=", ".join(rules.roles) or "(none)",
        tiers=", ".join(_TIERS),
        priorities=", ".join(_PRIORITIES),
        protected=", ".join(rules.protected) or "(nothing is protected)",
        most=rules.most,
    )
    return "\n\n".join((*parts, form)) + "\n"


def draft_schema() -> Mapping[str, object]:
    """Return the JSON schema of a planner's answer."""
    text = {"type": "string"}
    texts = {"type": "array", "items": text}
    task: dict[str, object] = dict.fromkeys(("id", "title", "prompt"), text)
    task |= {"role": text, "depends_on": texts}
    task |= {"tier": {"type": "string", "enum": list(_TIERS)}}
    task |= {"priority": {"type": "string", "enum": list(_PRIORITIES)}, "paths": texts}
    plan = {
        "version": {"type": "integer", "enum": [_VERSION]},
        "summary": text,
        "tasks": {"type": "array", "items": _object(task)},
    }
    return _object(plan)


def draft_text(drafted: Drafted) -> str:
    """Return a plan in the form of an answer, the same text for the same plan.

    A strategy that a person chose for its tasks stands beside them.
    """
    strategy = next((task.strategy for task in drafted.tasks), "")
    tasks = [
        {name: getattr(task, name) for name in _TEXTS}
        | {name: list(getattr(task, name)) for name in _LISTS}
        for task in drafted.tasks
    ]
    document = {"version": _VERSION, "summary": drafted.summary, "tasks": tasks}
    document |= {"strategy": strategy} if strategy else {}
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def read_text(text: str) -> Drafted:
    """Return what :func:`draft_text` wrote; never raise."""
    try:
        document = json.loads(text)
        strategy = document.pop("strategy", "")
    except (ValueError, AttributeError, RecursionError):
        return _nothing("the draft is not what was written")
    return read_draft(json.dumps(document), strategy)


def read_draft(message: str, strategy: str = "") -> Drafted:
    """Return the tasks of an answer and all that is wrong with its form; never raise.

    They are done by ``strategy``, or by their role's when it is empty.
    """
    if len(message) > MAX_MESSAGE:
        return _nothing(f"the answer has more than {MAX_MESSAGE} characters")
    text = json_in(message)
    if not text:
        return _nothing("there is no JSON in the answer")
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except _TwiceError as error:
        return _nothing(str(error))
    except (ValueError, RecursionError):
        return _nothing("the answer is not JSON")
    problems = list(_wrong_keys(document, _PLAN, "the plan"))
    if problems:
        return Drafted(problems=tuple(problems))
    if type(document["version"]) is not int or document["version"] != _VERSION:
        problems.append(f"the version of the plan is not {_VERSION}")
    if not isinstance(document["tasks"], list):
        return _nothing("the tasks of the plan are not a list")
    tasks = []
    for number, entry in enumerate(document["tasks"], 1):
        wrong = list(_wrong_task(entry, f"task {number}"))
        problems += wrong
        if not wrong:
            tasks.append(_task(entry, strategy))
    summary = document["summary"] if _is_text(document["summary"]) else ""
    return Drafted(summary=summary, tasks=tuple(tasks), problems=tuple(problems))


def _task(entry: dict[str, Any], strategy: str) -> TaskSpec:
    fields: dict[str, Any] = {name: entry[name] for name in _TEXTS}
    fields |= {name: tuple(entry[name]) for name in _LISTS}
    return TaskSpec(**fields, strategy=strategy)


def _wrong_task(entry: Any, what: str) -> Iterator[str]:
    wrong = list(_wrong_keys(entry, _TASK, what))
    if wrong:
        yield from wrong
        return
    for name in _TEXTS:
        if not _is_text(entry[name]):
            yield f'{what}: "{name}" is not a text'
    for name in _LISTS:
        value = entry[name]
        if not isinstance(value, list) or not all(map(_is_text, value)):
            yield f'{what}: "{name}" is not a list of texts'
    for name, known in (("tier", _TIERS), ("priority", _PRIORITIES)):
        if isinstance(entry[name], str) and entry[name] not in known:
            yield f'{what}: "{name}" is none of {", ".join(known)}'


def _is_text(value: Any) -> bool:
    """Tell whether it is text that can be written: JSON can also spell halves of a character."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def _wrong_keys(table: Any, keys: frozenset[str], what: str) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{what} is not an object"
        return
    for key in sorted(keys ^ table.keys()):
        yield f"{what} {'lacks' if key in keys else 'has an unknown'} {key!a}"


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nothing(problem: str) -> Drafted:
    return Drafted(problems=(problem,))


class _TwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise _TwiceError("the answer says something twice")
    return table


def _no_number(text: str) -> None:
    raise _TwiceError(f"the answer holds {text}")
