"""Plugin paths: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``paths``."""
    register.add(
        Gate(
            name="paths",
            summary="Refuse changes outside the task's scope or to protected paths.",
            target="gitcto_paths.gate:PathsGate",
            judges="change",
            deadline_s=60.0,
        )
    )
