"""What a worker is told: its task, its limits, and why earlier attempts failed."""

from __future__ import annotations

from gitcto.model.records import TaskSpec


def render(task: TaskSpec, allowed: tuple[str, ...], notes: tuple[str, ...]) -> str:
    """Return the prompt of one attempt as Markdown; the same inputs give the same bytes."""
    parts = [f"# {task.id}: {task.title}", ""]
    if task.prompt:
        parts += [task.prompt.rstrip(), ""]
    parts += [
        "## Rules",
        "",
        "- Work only in the current directory. Leave your changes in files; you need not commit.",
        "- What counts is the tree you leave: it is merged, tested and judged after you end.",
    ]
    if allowed:
        parts.append(f"- Change only these paths: {', '.join(f'`{path}`' for path in allowed)}.")
    if notes:
        parts += ["", "## Earlier attempts", "", *(f"- {note}" for note in notes)]
    return "\n".join([*parts, ""])
