"""What the broken plugins point at; next door, as it should be."""

from gitcto.api import Gate, GateResult, hookimpl  # noqa: F401

GATE = {"name": "g", "summary": "Judge.", "target": "bad_work:Judge"}


class Judge:
    def judge(self, context):
        del context
        return GateResult(status="pass", reason="fine")


class TakesTooMuch:
    def judge(self, context, surprise):
        del context, surprise
        return GateResult(status="pass", reason="fine")
