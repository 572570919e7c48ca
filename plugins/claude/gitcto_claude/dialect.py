"""What ``claude --print --output-format stream-json`` says, in the words of all providers. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gitcto.api import AgentEvent, Dialect, Fault, Usage, fault, fault_of

_INTERRUPTED = ("aborted_tools", "aborted_streaming")
_NO_CREDIT = "credit balance"
_NO_SESSION = "No conversation found"
_LONG_TOOL_NAME = 200


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one JSON object means."""
    match record["type"]:
        case "system":
            yield from _system(record)
        case "assistant":
            yield from _said(record)
        case "user":
            yield from _heard(record)
        case "result":
            yield from _result(record)
        case _:
            return


def meaning(text: str, code: str) -> Fault:
    """Return what an error means: the text of its last event, and an HTTP status or a reason."""
    if code in _INTERRUPTED:
        return fault("killed", "it was interrupted", code=code)
    if _NO_CREDIT in text.lower():  # Anthropic says so with status 400
        return fault("quota", text, retryable=False, code=code)
    if text.startswith(_NO_SESSION):
        return fault("protocol", text, retryable=False, code=code)
    return fault_of(text, code=code)


DIALECT = Dialect(name="claude", events=meanings, whole_session=True, fault=meaning)


def _system(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    match record["subtype"]:
        case "init":
            yield AgentEvent(kind="session", text=record["session_id"])
        case "api_retry":  # it asks again by itself: only the result decides
            told = f"{record.get('error', 'an error')} ({record.get('error_status')})"
            yield AgentEvent(kind="warning", text=f"the model was asked again after {told}")
        case "permission_denied":
            yield AgentEvent(kind="refused", name=_name(record), text=record.get("message", ""))
        case _:
            return


def _said(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what the model said; of a subagent only what it does."""
    if record.get("is_api_error_message"):
        return  # the result says it again, with the status
    for block in record["message"]["content"]:
        match block["type"]:
            case "text" if not record.get("parent_tool_use_id"):
                yield AgentEvent(kind="message", text=block["text"])
            case "thinking" if not record.get("parent_tool_use_id"):
                yield AgentEvent(kind="thinking", text=block["thinking"])
            case "tool_use":
                name = str(block["name"])[:_LONG_TOOL_NAME]
                yield AgentEvent(kind="tool_started", name=name, text=_about(block["input"]))
            case _:
                continue


def _heard(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield how tools ended; the prompt, which is the user's too, is no news."""
    content = record["message"]["content"]
    for block in content if isinstance(content, list) else ():
        if block["type"] == "tool_result":
            yield AgentEvent(kind="tool_ended", ok=not block.get("is_error"))
    result = record.get("tool_use_result")
    if isinstance(result, dict) and "structuredPatch" in result:
        yield AgentEvent(kind="edited", text=result["filePath"])


def _result(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield the end. An error of the model has subtype success, and is_error."""
    yield AgentEvent(kind="used", usage=_usage(record))
    for denial in record.get("permission_denials") or ():
        yield AgentEvent(kind="refused", name=_name(denial))
    structured = record.get("structured_output")
    text = record.get("result") or ""
    if structured is not None:
        text = json.dumps(structured, ensure_ascii=False)
    if record["subtype"] == "success" and not record.get("is_error"):
        yield AgentEvent(kind="ended", text=text)
        return
    reason = record.get("terminal_reason") or record["subtype"]
    errors = "; ".join(map(str, record.get("errors") or ()))
    status = record.get("api_error_status")
    code = str(status) if isinstance(status, int) else str(reason)
    yield AgentEvent(kind="ended", ok=False, name=code, text=text or errors or str(reason))


def _usage(record: Mapping[str, Any]) -> Usage:
    """Return what the session has used, all its runs and models together.

    ``usage`` is this turn's, without what subagents used.
    """
    models = list((record.get("modelUsage") or {}).values())
    cost = record.get("total_cost_usd")
    return Usage(
        input_tokens=_sum(models, "inputTokens"),
        cached_tokens=_sum(models, "cacheReadInputTokens"),
        cache_write_tokens=_sum(models, "cacheCreationInputTokens"),
        output_tokens=_sum(models, "outputTokens"),
        reasoning_tokens=_sum(models, "thinkingTokens"),
        cost_micros=None if cost is None else round(cost * 1_000_000),
    )


def _sum(models: list[Mapping[str, Any]], key: str) -> int:
    return sum(int(model.get(key) or 0) for model in models)


def _name(record: Mapping[str, Any]) -> str:
    return str(record.get("tool_name") or "a tool")[:_LONG_TOOL_NAME]


def _about(given: Any) -> str:
    """Return the one argument of a tool that says what it is about."""
    told = given if isinstance(given, dict) else {}
    for key in ("command", "file_path", "path", "pattern", "description"):
        if isinstance(told.get(key), str):
            return str(told[key])
    return ""
