"""What is wrong with a policy file, each thing with its line."""

from __future__ import annotations

from typing import NamedTuple

from gitcto.errors import CtoError, ExitCode


class PolicyProblem(NamedTuple):
    """One thing wrong with a policy file, at a line (0 when it concerns the whole file)."""

    where: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return ``file:line: message``."""
        place = f"{self.where}:{self.line}" if self.line else self.where
        return f"{place}: {self.message}"


class PolicyError(CtoError):
    """A policy file cannot be used; ``message`` has one line for each of ``problems``."""

    def __init__(self, problems: tuple[PolicyProblem, ...], hint: str) -> None:
        super().__init__("\n".join(map(str, problems)), hint, ExitCode.POLICY)
        self.problems = problems
