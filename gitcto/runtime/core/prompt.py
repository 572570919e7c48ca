"""The beginning of what a worker is told: its task, and its rules."""

from __future__ import annotations

from gitcto.context.records import Entry
from gitcto.model.records import TaskSpec


def task_entry(task: TaskSpec) -> Entry:
    """Return what is asked for."""
    asked = f"\n\n{task.prompt.rstrip()}" if task.prompt else ""
    return Entry(kind="task", text=f"# {task.id}: {task.title}{asked}")


def rules_entry(allowed: tuple[str, ...]) -> Entry:
    """Return the rules; ``allowed`` are the paths that may be changed, all when it is empty."""
    lines = [
        "## Rules",
        "",
        "- Work only in the current directory. Leave your changes in files; you need not commit.",
        "- What counts is the tree you leave: it is merged, tested and judged after you end.",
        "- Messages may come while you work. `git cto mail inbox` shows them,",
        "  `git cto mail ack NUMBER` says that you acted on one, and",
        "  `git cto mail send lead --subject TEXT` asks or tells the people who lead the team.",
    ]
    if allowed:
        lines.append(f"- Change only these paths: {', '.join(f'`{path}`' for path in allowed)}.")
    return Entry(kind="rules", text="\n".join(lines))
