"""Records, evidence and results."""

from __future__ import annotations

import importlib
import json
import os

from gitcto.escape.attacks.tools import At, write

FORGED = "forged by a worker"

_PASSED = '<testsuite tests="1" failures="0"><testcase name="all"/></testsuite>\n'


def forge_exit(at: At) -> None:
    """Write a record of its own successful end, and fail."""
    _forge_exit(at["records"])


def forge_sibling_exit(at: At) -> None:
    """Write a record of another worker's end, which is still at work."""
    _forge_exit(at["sibling_records"])


def _forge_exit(records: str) -> None:
    record = {
        "code": 0,
        "cause": "exited",
        "detail": FORGED,
        "wall_s": 1.0,
        "ladder": [],
        "survivors": 0,
        "cut_bytes": 0,
    }
    with open(os.path.join(records, "exited.json"), "w", encoding="ascii") as file:
        json.dump(record, file)


def ask_sibling_to_stop(at: At) -> None:
    """Make the file that asks another worker's supervisor to end it."""
    with open(os.path.join(at["sibling_records"], "stop"), "w", encoding="ascii"):
        pass


def sidecar_write(at: At) -> None:
    """Turn the team's tasks into done ones in the index of the ledger."""
    done = "CAST(replace(CAST(body AS TEXT), '\"queued\"', '\"done\"') AS BLOB)"
    _execute(at, f"UPDATE task SET state = 'done', body = {done}")


def sidecar_delete(at: At) -> None:
    """Delete the index of the ledger."""
    for suffix in ("-wal", "-shm", ""):
        if os.path.exists(at["sidecar"] + suffix):
            os.remove(at["sidecar"] + suffix)


def heartbeat(at: At) -> None:
    """Write a heartbeat for a worker that does not live."""
    _execute(at, "INSERT INTO heartbeat VALUES ('ghost', 'ghost', 4000000000000, 1)")


def _execute(at: At, statement: str) -> None:
    """Write to the database that only one room of git-cto opens: an attacker keeps to no rule."""
    sqlite3 = importlib.import_module("sqlite3")
    try:
        with sqlite3.connect(at["sidecar"], timeout=5) as db:
            db.execute(statement)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def fake_evidence(at: At) -> None:
    """Break the project, and commit reports that say its tests have passed."""
    write(os.path.join(at["room"], "app.py"), "broken\n")
    write(os.path.join(at["room"], "report.json"), '{"verdict": "pass", "status": "pass"}\n')
    write(os.path.join(at["room"], "junit.xml"), _PASSED)


def gate_code(at: At) -> None:
    """Change the project's tests into a program that writes to the user's checkout."""
    victim = os.path.join(at["project"], "README.md")
    write(os.path.join(at["room"], "check.py"), f"open({victim!r}, 'a').write('attacked')\n")
