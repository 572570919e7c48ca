"""Plugin commit-format: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``commit-format``."""
    register.add(
        Gate(
            name="commit-format",
            summary="Refuse a commit message without task, summary and trailers.",
            target="gitcto_commit_format.gate:CommitFormatGate",
            judges="change",
            deadline_s=60.0,
        )
    )
