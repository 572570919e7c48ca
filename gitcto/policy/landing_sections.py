"""The sections of a policy file about what is proved before anything lands, and what goes where."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gitcto.policy import names
from gitcto.policy.records import (
    MailSettings,
    PullRequestSettings,
    Quarantined,
    RemoteSettings,
    TierApproval,
)
from gitcto.policy.table import Table, shown

MAX_CAPACITY = 16
"""Most trees that are judged at once."""


def queue(table: Table) -> tuple[int, str]:
    """Read how many trees the merge queue judges at once, and who guesses which are green."""
    capacity = table.whole("capacity", 2, range(1, MAX_CAPACITY + 1))
    predictor = table.text("predictor", "", names.name_or_none)
    table.close()
    return capacity, predictor


def approval(table: Table) -> TierApproval:
    """Read a tier's table ``approval``: without one, no person is asked."""
    read = TierApproval(
        count=table.whole("count", 0, range(10)),
        approvers=table.texts("approvers", (), names.person),
        expires_h=table.whole("expires_h", 72, range(1, 24 * 366)),
    )
    if read.count and read.approvers and len(set(read.approvers)) < read.count:
        table.report(f'"count" is {read.count}, and "approvers" names fewer', "count")
    table.close()
    return read


def quarantine(table: Table) -> tuple[Quarantined, ...]:
    """Read which tests' failures count for nothing, whose they are, and until when."""
    found = []
    for test in table.names():
        one = table.table(test)
        owner = one.text("owner", "", names.person)
        expires = one.text("expires", "", names.day)
        for key, value in (("owner", owner), ("expires", expires)):
            if not value and one.lacks(key):
                one.report(f'"{key}" is missing: {shown(test)} would be ignored for good')
        one.close()
        found.append(Quarantined(test=test, owner=owner, expires=expires))
    return tuple(found)


def mail(table: Table) -> MailSettings:
    """Read how messages are handed over, and what workers may send."""
    read = MailSettings(
        max_tries=table.whole("max_tries", 5, range(1, 21)),
        backoff_s=table.whole("backoff_s", 2, range(1, 3601)),
        per_task=table.whole("per_task", 100, range(1, 10_001)),
        interrupts_by_workers=table.flag("interrupts_by_workers", default=False),
    )
    table.close()
    return read


def remote(table: Table) -> RemoteSettings:
    """Read where landed work is pushed."""
    read = RemoteSettings(
        name=table.text("name", "", names.remote), ledger=table.flag("ledger", default=False)
    )
    if read.ledger and not read.name:
        table.report('"ledger" needs the "name" of a remote', "ledger")
    table.close()
    return read


def pull_requests(table: Table, remote: RemoteSettings) -> PullRequestSettings:
    """Read what opens pull requests at the remote."""
    read = PullRequestSettings(
        integration=table.text("integration", "", names.name),
        base=table.text("base", "main", names.branch),
    )
    if read.integration and not remote.name:
        table.report('"integration" needs the "name" of a remote in [remote]', "integration")
    table.close()
    return read


def evidence(table: Table) -> str:
    """Read which SSH key evidence is signed with."""
    key = table.text("signing_key", "", names.key_file)
    table.close()
    return key


def approvals(found: Mapping[str, TierApproval]) -> Mapping[str, TierApproval]:
    """Return the tiers that ask persons."""
    return MappingProxyType({tier: one for tier, one in found.items() if one.count})
