"""Plugin toml-plan: descriptors only; the work is next door."""

from gitcto.api import Planner, Register, hookimpl


@hookimpl
def gitcto_register_planners(register: Register[Planner]) -> None:
    """Add planner ``toml``."""
    register.add(
        Planner(
            name="toml",
            summary="Read [[task]] tables, strictly.",
            target="gitcto_toml_plan.reader:TomlPlan",
            suffixes=(".toml",),
        )
    )
