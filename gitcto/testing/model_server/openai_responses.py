"""OpenAI's Responses API, as codex speaks it: server-sent events with names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitcto.testing.model_server.names import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.testing.model_server.steps import Call, Step

Event = tuple[str, dict[str, Any]]


class _Answer:
    """One response while it is put together: ``output`` are its finished items."""

    def __init__(self, model: str) -> None:
        self.output: list[dict[str, Any]] = []
        self.base: dict[str, Any] = {
            "id": fresh("resp"),
            "object": "response",
            "created_at": 1,
            "model": model,
            "status": "in_progress",
            "output": [],
        }

    def event(self, name: str, **fields: Any) -> Event:
        """Return an event about the item that is under way."""
        return name, {"type": name, "output_index": len(self.output), **fields}

    def added(self, item: dict[str, Any], **empty: Any) -> Event:
        """Return the event that begins an item."""
        return self.event("response.output_item.added", item={**item, **empty})

    def done(self, item: dict[str, Any]) -> Event:
        """Return the event that ends an item."""
        event = self.event("response.output_item.done", item=item)
        self.output.append(item)
        return event


def events(step: Step, model: str) -> Iterator[Event]:
    """Yield the names and payloads of one streamed response, in order."""
    answer = _Answer(model)
    created = "response.created"
    yield created, {"type": created, "response": answer.base}
    if step.think:
        yield from _reasoning(answer, step.think)
    if step.text is not None:
        yield from _message(answer, step)
    for call in step.calls:
        item = _call_item(call)
        yield answer.added(item, status="in_progress")
        yield answer.done(item)
    completed = "response.completed"
    whole = {
        **answer.base,
        "status": "completed",
        "output": answer.output,
        "usage": _usage(step),
    }
    yield completed, {"type": completed, "response": whole}


def _reasoning(answer: _Answer, text: str) -> Iterator[Event]:
    summary = [{"type": "summary_text", "text": text}]
    item = {"type": "reasoning", "id": fresh("rs"), "summary": summary, "encrypted_content": None}
    yield answer.added(item, summary=[])
    yield answer.event(
        "response.reasoning_summary_text.delta", item_id=item["id"], summary_index=0, delta=text
    )
    yield answer.done(item)


def _message(answer: _Answer, step: Step) -> Iterator[Event]:
    content: list[Any] = [{"type": "output_text", "text": step.text, "annotations": []}]
    item = {
        "type": "message",
        "id": fresh("msg"),
        "role": "assistant",
        "status": "completed",
        "content": content,
    }
    yield answer.added(item, status="in_progress", content=[])
    for piece in step.pieces():
        yield answer.event(
            "response.output_text.delta", item_id=item["id"], content_index=0, delta=piece
        )
    yield answer.done(item)


def _call_item(call: Call) -> dict[str, Any]:
    item = {"status": "completed", "call_id": fresh("call"), "name": call.name}
    if call.custom:
        return {"type": "custom_tool_call", "id": fresh("ctc"), **item, "input": call.text}
    item = {"type": "function_call", "id": fresh("fc"), **item, "arguments": call.text}
    return {**item, "namespace": call.namespace} if call.namespace else item


def _usage(step: Step) -> dict[str, Any]:
    tokens = step.tokens
    return {
        "input_tokens": tokens.read,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.written,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.read + tokens.written,
    }


def error(status: int) -> dict[str, Any]:
    """Return the body of a failed request."""
    return {"error": {"message": f"scripted {status}", "type": "scripted_error", "code": None}}
