"""Asking a reviewer that is a command: files in, one file out.

Another kind of reviewer takes the place of :func:`ask_command`: it gets the same request, and its
answer is judged in the same way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from gitcto.api import (
    ANSWER_VERSION,
    CtoError,
    could_not_run,
    discard,
    fill_template,
    last_line,
    one_line,
    read_untrusted,
)
from gitcto_review.settings import WHO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.api import GateContext

MAX_ANSWER_BYTES = 1 << 20
"""Longest answer that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a reviewer wrote as its answer, and what it printed meanwhile."""

    answer: bytes
    output: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Why there is no answer: a reason code, a detail, and what the reviewer printed."""

    reason: str
    detail: str
    output: bytes = b""


def request_of(context: GateContext) -> bytes:
    """Return what a reviewer is told of a change, as JSON."""
    task = context.task
    return json.dumps(
        {
            "version": ANSWER_VERSION,
            "change": context.change,
            "task": {"id": task.id, "title": task.title, "prompt": task.prompt},
            "policy": {"tier": task.tier, "paths": list(task.paths)},
            "message": context.message,
            "paths": [{"path": each.path, "status": each.status} for each in context.changes],
        },
        indent=1,
    ).encode()


def ask_command(context: GateContext, argv: Sequence[str]) -> Said | Silent:
    """Run the reviewer's command in the checkout, and return what it wrote to its answer file.

    Each call has a directory of its own, so that no answer of an earlier one can be found there.
    """
    if context.scratch is None:
        return Silent(reason="no_scratch", detail="there is no directory to give to the reviewer")
    place = Path(mkdtemp(prefix="review.", dir=context.scratch))
    try:
        files = {name: place / name for name in ("answer", "patch", "request")}
        files["patch"].write_bytes(context.patch())
        files["request"].write_bytes(request_of(context))
        known = {name: str(path) for name, path in files.items()}
        filled = tuple(fill_template(word, known, who=WHO) for word in argv)
        return _asked(context, filled, files["answer"])
    finally:
        discard(place)


def _asked(context: GateContext, argv: tuple[str, ...], answer: Path) -> Said | Silent:
    result = context.run(argv, context.deadline_s)
    why = could_not_run(result, argv[0], context.deadline_s)
    if why:
        return Silent(reason=why[0], detail=why[1], output=result.output)
    if result.code != 0:
        detail = f"the reviewer ended with code {result.code}: {last_line(result.output)}"
        return Silent(reason="reviewer_failed", detail=detail, output=result.output)
    try:
        data = read_untrusted(answer, MAX_ANSWER_BYTES)
    except CtoError as error:
        detail = one_line(error.message)
        return Silent(reason="no_verdict", detail=detail, output=result.output)
    if data is None:
        detail = "the reviewer wrote no answer"
        return Silent(reason="no_verdict", detail=detail, output=result.output)
    return Said(answer=data, output=result.output)
