"""One of many writers: ``python -m bench.writer REPOSITORY SECONDS NUMBER``.

Says ``ready``, begins when its input ends, writes events for a time and tells what it waited.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import count
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model.commands import AdoptPolicy
from gitcto.store.ledger import Ledger, Recorded


def main(path: Path, seconds: float, number: int) -> int:
    """Write until the time is over; print the wait for each event in seconds as JSON."""
    waits = []
    with Ledger(discover(path, os.environ), "main", SystemEffects(), f"ada@{number}") as ledger:
        ledger.summary(rows_each=1)
        print("ready", flush=True)
        sys.stdin.read()
        end = time.monotonic() + seconds
        for turn in count():
            began = time.monotonic()
            if began >= end:
                break
            command = AdoptPolicy(digest=f"{os.getpid():08x}{number:08x}{turn:048x}")
            if not isinstance(ledger.transact(command), Recorded):
                return 1
            waits.append(time.monotonic() - began)
    print(json.dumps(waits))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
