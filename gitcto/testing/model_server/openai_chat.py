"""OpenAI's chat completions, as opencode, qwen and pi speak them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitcto.testing.model_server.names import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.testing.model_server.steps import Call, Step

DONE = "data: [DONE]\n\n"
"""What ends a stream."""


def chunks(step: Step, model: str) -> Iterator[dict[str, Any]]:
    """Yield the chunks of one streamed completion, in order."""
    base = _base("chat.completion.chunk", model)

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    if step.think:
        yield chunk({"reasoning_content": step.think})
    for piece in step.pieces():
        yield chunk({"content": piece})
    for index, call in enumerate(step.calls):
        begun = {"index": index, **_call(call, "")}
        yield chunk({"tool_calls": [begun]})
        yield chunk({"tool_calls": [{"index": index, "function": {"arguments": call.text}}]})
    yield chunk({}, _finish(step))
    yield {**base, "choices": [], "usage": _usage(step)}


def whole(step: Step, model: str) -> dict[str, Any]:
    """Return one completion that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": step.text}
    if step.calls:
        message["tool_calls"] = [_call(call, call.text) for call in step.calls]
    choice = {"index": 0, "message": message, "finish_reason": _finish(step)}
    return {**_base("chat.completion", model), "choices": [choice], "usage": _usage(step)}


def _base(kind: str, model: str) -> dict[str, Any]:
    return {"id": fresh("chatcmpl"), "object": kind, "created": 1, "model": model}


def _call(call: Call, arguments: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments}
    return {"id": fresh("call"), "type": "function", "function": function}


def _finish(step: Step) -> str:
    return step.finish or ("tool_calls" if step.calls else "stop")


def _usage(step: Step) -> dict[str, Any]:
    tokens = step.tokens
    return {
        "prompt_tokens": tokens.read,
        "completion_tokens": tokens.written,
        "total_tokens": tokens.read + tokens.written,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
