"""Google's generateContent, whole and streamed, as gemini speaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitcto.testing.model_server.names import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.testing.model_server.steps import Step

_ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


def chunks(step: Step, model: str) -> Iterator[dict[str, Any]]:
    """Yield the chunks of one streamed answer; usage is told with the last one.

    A step that says nothing is one chunk without parts.
    """
    parts: list[list[dict[str, Any]]] = []
    if step.think:
        parts.append([{"text": step.think, "thought": True}])
    parts += [[{"text": piece}] for piece in step.pieces()]
    if step.calls:
        parts.append(_calls(step))
    rid = fresh("gem")
    for number, part in enumerate(parts or [[]], start=1):
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": part}}
        answer: dict[str, Any] = {
            "candidates": [candidate],
            "modelVersion": model,
            "responseId": rid,
        }
        if number >= len(parts):
            candidate["finishReason"] = step.finish or "STOP"
            answer["usageMetadata"] = _usage(step)
        yield answer


def whole(step: Step, model: str) -> dict[str, Any]:
    """Return one answer that is not streamed."""
    streamed = list(chunks(replace(step, chunks=1), model))
    parts = [part for each in streamed for part in each["candidates"][0]["content"]["parts"]]
    last = streamed[-1]
    last["candidates"][0]["content"]["parts"] = parts
    return last


def _calls(step: Step) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"id": fresh("call"), "name": call.name, "args": call.args}}
        for call in step.calls
    ]


def _usage(step: Step) -> dict[str, int]:
    tokens = step.tokens
    return {
        "promptTokenCount": tokens.read,
        "candidatesTokenCount": tokens.written,
        "cachedContentTokenCount": tokens.cached,
        "thoughtsTokenCount": tokens.reasoning,
        "totalTokenCount": tokens.read + tokens.written + tokens.reasoning,
    }


def error(status: int) -> dict[str, Any]:
    """Return the body of a failed request."""
    kind = _ERRORS.get(status, "INTERNAL")
    return {"error": {"code": status, "message": f"scripted {status}", "status": kind}}
