"""Plugin markdown-plan: descriptors only; the work is next door."""

from gitcto.api import Planner, Register, hookimpl


@hookimpl
def gitcto_register_planners(register: Register[Planner]) -> None:
    """Add planner ``markdown``."""
    register.add(
        Planner(
            name="markdown",
            summary="Read checklists, spec-kit and OpenSpec tasks.md, and ticket tables.",
            target="gitcto_markdown_plan.reader:MarkdownPlan",
            suffixes=(".md", ".markdown"),
        )
    )
