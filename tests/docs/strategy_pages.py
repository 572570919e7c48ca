"""The page of strategies: what a file may say, and the shipped ones as pictures."""

# ruff: noqa: E501 - rows of a table are one line each

from __future__ import annotations

from gitcto.plugins import Plugins
from gitcto.policy.strategies import parse_strategy
from gitcto.strategies.picture import failure_lines, picture
from gitcto.strategies.prompts import WORDS
from gitcto.strategies.records import Strategy

INTRODUCTION = """\
A strategy says who works on one attempt at a task, in which order and on what. It is data: a TOML file
of a plugin, or a table `[strategies.NAME]` in policy. One small engine runs all of them; it always
comes to an end, and never lets anything count that a judge it asks for has not approved.

[Let two agents work on a task](../how-to/let-two-agents-work-on-a-task.md) shows how one is used.

## Keys

| table | key | | |
|---|---|---|---|
| the strategy | `summary` | must be there | one line, 100 characters |
| | `rounds` | `1` | how often it may be written until it is approved, 1 to 9 |
| | `combine` | `"all"` | how many reviews of one patch must approve it, of those asked at the same time: `"all"`, `"any"`, `"majority"` |
| `[roles.NAME]` | `providers` | the task's role's | who is suggested, where policy has it |
| | `prompt` | [the usual words](#what-roles-are-told) | what it is told, 8000 characters |
| `[[step]]` | `name` | must be there | 1 to 12 steps, in order |
| | `role` | must be there | who does it |
| | `kind` | must be there | `"plan"` thinks ahead, `"write"` changes files, `"review"` judges one patch, `"adjudicate"` chooses between patches |
| | `seat` | | where a writer works: `"main"`, `"second"` |
| | `group` | | neighbours of one group run at the same time |
| | `reads` | `["task"]` | `"task"`, `"patch:SEAT"`, `"findings:STEP"`, `"notes:STEP"` |
| `[failures]`, `[step.failures]` | class | `[]` | what is done about the first, second, … failure of that class; then the attempt is given up |

The classes are those of [providers](providers.md) (`auth`, `quota`, `rate`, …), `no_verdict` for a
judge whose answer is none, and `default` for all that are not named. What is done is `retry` (`retry 3`
for three times), `other provider`, `degrade` (go on without the step) or `stop`. What cannot be mended
by asking again is not asked again; when no other provider may do a step, the next entry of the same
list counts, and after the last one the attempt has failed in the way that its agent did. A provider that
ran dry is waited for rather than given up on, but for a step that may be left out. A judge that gave no
verdict is never left out, and one that rejected cannot be left out later.

A round begins again with the first writer, which goes on in its own session and reads the findings.
Judges begin afresh each time, and read exactly one version of a patch: a verdict counts for the change
whose id it names, and for no other.

## Verdicts

A reviewer ends with one JSON object, as its whole last message or in the last fenced block of it:

```json
{
  "version": 1,
  "change": "the id of the change that it read",
  "verdict": "reject",
  "summary": "The cache is never emptied.",
  "findings": [
    {"path": "src/cache.py", "line": 40, "severity": "blocker", "message": "grows for ever"}
  ]
}
```

`verdict` is `approve` or `reject`; `severity` is `blocker`, `major`, `minor` or `note`, and with a blocker
there is no approval. An adjudicator adds `"chosen"`: the seat of the patch whose id is `change`, or ""
when it rejects all. Every key must be there, and no other one. Anything else is no verdict.
"""


def shipped() -> str:
    """Return what roles are told, and a section for each shipped strategy."""
    told = "\n\n".join(f"### {kind}\n\n{_quoted(words)}" for kind, words in WORDS.items())
    plugins = Plugins.load()
    pages = []
    for name, registered in plugins.strategies().items():
        if registered.plugin == "strategies":
            pages.append(_section(parse_strategy(plugins.instantiate(registered), name, name)))
    return f"\n## What roles are told\n\n{told}\n\n" + "\n".join(pages)


def _section(strategy: Strategy) -> str:
    lines = [
        f"## {strategy.name}",
        "",
        strategy.summary,
        "",
        "```text",
        *picture(strategy),
        "```",
        "",
    ]
    suggested = [
        f"`{role}`: {', '.join(each.providers)}"
        for role, each in strategy.filled.items()
        if each.providers
    ]
    if suggested:
        lines += [f"Suggested: {'; '.join(suggested)}.", ""]
    failures = failure_lines(strategy)
    if failures:
        lines += ["When a step fails (otherwise it stops):", "", *(f"- {x}" for x in failures), ""]
    lines += [
        f"At most {strategy.most_steps} steps." if strategy.most_steps > 1 else "One step.",
        "",
    ]
    for role, each in strategy.filled.items():
        if each.prompt:
            lines += [f"`{role}` is told:", "", _quoted(each.prompt), ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
