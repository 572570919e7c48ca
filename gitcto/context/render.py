"""The prompt of one worker: a pure function of its stream, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitcto.context.records import Entry, Kind, Stream

_HEADS: tuple[tuple[Kind, str], ...] = (
    ("digest", "Before that, in short"),
    ("note", "Earlier attempts"),
    ("said", "What you said at the end of an earlier attempt"),
    ("question", "What you asked, and nobody answered yet"),
    ("artifact", "Cited for you"),
    ("message", "Messages for you"),
    ("follow_up", "Now"),
)
_LISTED = frozenset({"digest", "note"})


def render(stream: Stream) -> bytes:
    """Return the prompt as Markdown; the same stream gives the same bytes."""
    parts = [each.text.strip("\n") for each in stream.entries if each.kind in {"task", "rules"}]
    for kind, head in _HEADS:
        entries = [each for each in stream.entries if each.kind == kind]
        if entries:
            parts.append(f"## {head}\n\n{_section(entries)}")
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def _section(entries: Iterable[Entry]) -> str:
    entries = tuple(entries)
    if entries[0].kind in _LISTED:
        return "\n".join(f"- {_indented(each.text)}" for each in entries)
    return "\n\n".join(_quoted(each) for each in entries)


def _indented(text: str) -> str:
    """Keep further lines of a text inside their item: nothing in it can begin a section."""
    return "\n  ".join(text.strip().splitlines())


def _quoted(entry: Entry) -> str:
    name = " ".join(entry.name.split())
    lines = [f"From {name}:", ""] if name else []
    return "\n".join([*lines, *(f"> {line}".rstrip() for line in entry.text.strip().splitlines())])
