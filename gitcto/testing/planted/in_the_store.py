"""Bugs in how it is written."""

from __future__ import annotations

from gitcto.testing.planted.bug import Bug

LEDGER = "store/ledger.py"

STORE = (
    Bug(
        name="acknowledged before it is in the ledger",
        swaps=(
            (
                LEDGER,
                "        self._swap(before.tip, commit.oid, None if refused else along)\n",
                "",
            ),
        ),
        by="store",
    ),
    Bug(
        name="the sidecar before the ref",
        swaps=(
            (
                LEDGER,
                "        self._swap(before.tip, commit.oid, None if refused else along)\n",
                "        self._late = (before.tip, commit.oid, None if refused else along)\n",
            ),
            (
                LEDGER,
                "            self.close()  # it is in",
                "            self.close()  # it was in",
            ),
            (
                LEDGER,
                "        return recorded\n\n    def _decided",
                (
                    '        self._effects.crash_point("ledger.ref")\n'
                    "        self._swap(*self._late)\n        return recorded\n\n    def _decided"
                ),
            ),
        ),
        by="store",
    ),
    Bug(
        name="every event is the first of its chain",
        swaps=((LEDGER, "prev=at.digest, actor", 'prev="0" * 64, actor'),),
        by="store",
    ),
    Bug(
        name="decided on what was read last, not on what is there",
        swaps=(
            (
                LEDGER,
                (
                    "                self._follow(side, projection, tip)\n"
                    "                answer = self._decided"
                ),
                "                answer = self._decided",
            ),
        ),
        harmless="the swap names the tip that was read: it fails, and nothing is recorded",
    ),
)
