"""Plugin nonempty: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``nonempty``."""
    register.add(
        Gate(
            name="nonempty",
            summary="Refuse an attempt that changed nothing.",
            target="gitcto_nonempty.gate:NonemptyGate",
            judges="change",
            deadline_s=60.0,
        )
    )
