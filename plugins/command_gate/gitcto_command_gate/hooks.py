"""Plugin command-gate: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``command``."""
    register.add(
        Gate(
            name="command",
            summary="Run any command on the merge result; exit code 0 passes.",
            target="gitcto_command_gate.gate:CommandGate",
            needs_checkout=True,
        )
    )
