"""The part of a provider that is the same for every agent that prints JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gitcto.agents.polling import poll_output
from gitcto.agents.report import collect_report
from gitcto.mailbox import leave_in_mailbox
from gitcto.provider_contracts import ProviderWorker

if TYPE_CHECKING:
    from gitcto.agents.dialect import Dialect
    from gitcto.mail_contracts import SendRequest, SendResult
    from gitcto.provider_contracts import Progress, WorkerOutcome, WorkerOutput, WorkerReport


class AgentProvider(ProviderWorker):
    """Takes letters, and reads what an agent says in its ``dialect``.

    A plugin's class gives that, ``probe`` and ``launch``, and overrides what its agent does in
    another way.
    """

    dialect: ClassVar[Dialect]

    def send(self, request: SendRequest) -> SendResult:
        """Leave a letter in the mailbox.

        A driver looks there, and so may the agent; what it did not see is in its next prompt.
        """
        return leave_in_mailbox(request)

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Read on in what it prints."""
        return poll_output(self.dialect, output, cursor)

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Believe it as far as its exit code, its last event and its rights agree."""
        return collect_report(self.dialect, outcome)
