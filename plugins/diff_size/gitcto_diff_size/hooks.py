"""Plugin diff-size: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``diff-size``."""
    register.add(
        Gate(
            name="diff-size",
            summary="Refuse a change of too many files or lines, or with too large a file.",
            target="gitcto_diff_size.gate:DiffSizeGate",
            judges="change",
            deadline_s=60.0,
        )
    )
