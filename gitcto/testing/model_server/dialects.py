"""Which protocol a request speaks, and how it is answered in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitcto.testing.model_server import anthropic, gemini, openai_chat, openai_responses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitcto.testing.model_server.steps import Step

_GEMINI = re.compile(r"/models/(?P<model>[^/:]+):(?P<verb>\w+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One protocol: ``events`` streams a step, ``whole`` does not, ``error`` is a failure's body.

    ``ending`` follows the last event of a stream.
    """

    name: str
    events: Callable[[Step, str], Iterator[Any]]
    whole: Callable[[Step, str], dict[str, Any]] | None
    error: Callable[[int], dict[str, Any]]
    ending: str = ""


RESPONSES = Dialect(
    name="responses",
    events=openai_responses.events,
    whole=None,
    error=openai_responses.error,
)
CHAT = Dialect(
    name="chat",
    events=openai_chat.chunks,
    whole=openai_chat.whole,
    error=openai_responses.error,
    ending=openai_chat.DONE,
)
ANTHROPIC = Dialect(
    name="anthropic",
    events=anthropic.events,
    whole=anthropic.whole,
    error=anthropic.error,
)
GEMINI = Dialect(name="gemini", events=gemini.chunks, whole=gemini.whole, error=gemini.error)

_BY_PATH = {"/responses": RESPONSES, "/chat/completions": CHAT, "/messages": ANTHROPIC}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request to a model: in which protocol, to which model, streamed or whole.

    ``main`` ones offer tools. With ``counts`` it only asks how many tokens something has.
    """

    dialect: Dialect
    model: str
    streams: bool
    main: bool
    counts: bool = False


def question(path: str, body: dict[str, Any]) -> Question | None:
    """Return what a POST to ``path`` asks; None for what no protocol here knows."""
    main = _offers_tools(body)
    if found := _GEMINI.search(path):
        return Question(
            dialect=GEMINI,
            model=found["model"],
            streams=found["verb"] == "streamGenerateContent",
            main=main,
            counts=found["verb"] == "countTokens",
        )
    counts = path.endswith("/messages/count_tokens")
    for ending, dialect in _BY_PATH.items():
        if counts or path.endswith(ending):
            return Question(
                dialect=ANTHROPIC if counts else dialect,
                model=str(body.get("model", "")),
                streams=bool(body.get("stream")) or dialect is RESPONSES,
                main=main,
                counts=counts,
            )
    return None


def _offers_tools(body: dict[str, Any]) -> bool:
    """Tell whether a request offers tools; codex's newest models find them in an input item."""
    items: Iterable[Any] = body.get("input") or ()
    return bool(body.get("tools")) or any(
        isinstance(item, dict) and item.get("type") == "additional_tools" for item in items
    )
