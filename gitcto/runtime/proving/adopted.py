"""Policies of earlier times, from the ledger that adopted them."""

from __future__ import annotations

from gitcto.errors import CtoError
from gitcto.git.objects import Commit, Objects
from gitcto.model.events import PolicyAdopted
from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.store import bundle
from gitcto.store.reader import LedgerReader

POLICY_FILE = "policy.toml"
"""Where a transaction that adopts a policy keeps the policy's bytes."""


def adopted_policy(objects: Objects, ledger: LedgerReader, digest: str) -> Policy | str:
    """Return the policy with this digest from the ledger, or why it cannot be had."""
    for stored in ledger.events(newest_first=True):
        body = stored.event.body
        if not isinstance(body, PolicyAdopted) or body.digest != digest:
            continue
        try:
            _, raw = objects.read(stored.commit)
            text = bundle.read_file(objects, Commit.decode(raw).tree, POLICY_FILE)
            policy = parse(text, POLICY_FILE)
        except (CtoError, ValueError) as error:
            return str(error)
        return policy if policy.digest == digest else "its file is another one"
    return "the ledger does not hold it"
