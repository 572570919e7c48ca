"""What is to be done outside: under which key, and how it is kept so that a kill loses nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from gitcto.errors import CtoError, ExitCode
from gitcto.git.objects import Commit, Objects
from gitcto.model.codec import canonical
from gitcto.model.effect_events import EffectIntended
from gitcto.store import bundle
from gitcto.store.reader import LedgerReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done outside, once.

    ``commit`` is the accepted result that it is about, ``epoch`` the task's fencing token when it
    was decided; the rest is what the integration is given.
    """

    effect: str
    integration: str
    task: str
    epoch: int
    commit: str
    title: str
    body: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the order as it is kept in the ledger; the same order gives the same bytes."""
        return canonical(asdict(self))


def order_path(key: str) -> str:
    """Return where the transaction that intends an effect keeps its order."""
    return f"effects/{key}.json"


def key_of(reader: LedgerReader, task: str, effect: str, commit: str) -> str:
    """Return the key of an effect: the same for the same result, whoever decides it and when.

    What tells ledgers apart is the id of their first event, which all clones share.
    """
    first = next((stored.event.id for stored in reader.events(limit=1)), "")
    return hashlib.sha256(canonical([first, reader.team, task, effect, commit])).hexdigest()


def recorded_order(objects: Objects, reader: LedgerReader, task: str, key: str) -> Order:
    """Return the order that was last intended under a key; raises ``CtoError`` when it is lost."""
    for stored in reader.events(task=task, newest_first=True):
        body = stored.event.body
        if not isinstance(body, EffectIntended) or body.key != key:
            continue
        tree = Commit.decode(objects.read(stored.commit)[1]).tree
        data = bundle.read_file(objects, tree, order_path(key))
        if hashlib.sha256(data).hexdigest() == body.digest:
            return Order(**json.loads(data))
        break
    raise CtoError(
        f"what was to be sent for {task} cannot be read any more",
        f"ask for it again; `git cto log --task {task}` says what it was",
        ExitCode.GIT,
    )
