"""Anthropic's messages, as claude speaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitcto.testing.model_server.names import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.testing.model_server.steps import Call, Step

Event = tuple[str, dict[str, Any]]

_ERRORS = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}


def whole(step: Step, model: str) -> dict[str, Any]:
    """Return one message that is not streamed."""
    content: list[dict[str, Any]] = []
    if step.think:
        content.append({"type": "thinking", "thinking": step.think, "signature": "c2ln"})
    if step.text is not None:
        content.append({"type": "text", "text": step.text})
    content += [_tool_use(call, call.args) for call in step.calls]
    return _message(step, model) | {"content": content}


def events(step: Step, model: str) -> Iterator[Event]:
    """Yield the names and payloads of one streamed message, in order."""
    message = _message(step, model)
    begun = {**message, "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield _event("message_start", message=begun)
    for index, (start, deltas) in enumerate(_blocks(step)):
        yield _event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ending, usage={"output_tokens": step.tokens.written})
    yield _event("message_stop")


def _event(name: str, **fields: Any) -> Event:
    return name, {"type": name, **fields}


def _blocks(step: Step) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each block as it begins, and what is added to it."""
    if step.think:
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        thought = {"type": "thinking_delta", "thinking": step.think}
        yield empty, [thought, {"type": "signature_delta", "signature": "c2ln"}]
    if step.text is not None:
        said = [{"type": "text_delta", "text": piece} for piece in step.pieces()]
        yield {"type": "text", "text": ""}, said
    for call in step.calls:
        yield _tool_use(call, {}), [{"type": "input_json_delta", "partial_json": call.text}]


def _tool_use(call: Call, given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": fresh("toolu"), "name": call.name, "input": given}


def _message(step: Step, model: str) -> dict[str, Any]:
    tokens = step.tokens
    usage = {
        "input_tokens": tokens.read,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.written,
    }
    return {
        "id": fresh("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": step.finish or ("tool_use" if step.calls else "end_turn"),
        "stop_sequence": None,
        "usage": usage,
    }


def error(status: int) -> dict[str, Any]:
    """Return the body of a failed request."""
    kind = _ERRORS.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": f"scripted {status}"}}
