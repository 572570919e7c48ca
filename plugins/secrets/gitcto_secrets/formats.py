"""Formats that only a secret has: what is found needs no second look."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FORMATS = {
    "private-key": rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
    "aws-access-key": rb"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "github-token": rb"\bgh[pousr]_[A-Za-z0-9]{36,255}",
    "github-fine-grained-token": rb"\bgithub_pat_[A-Za-z0-9_]{60,255}",
    "anthropic-key": rb"\bsk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{24,255}",
    "google-api-key": rb"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
    "slack-token": rb"\bxox[abp]-[A-Za-z0-9-]{20,255}",
    "npm-token": rb"\bnpm_[A-Za-z0-9]{36}\b",
}
_HINTS = re.compile(rb"PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat_|sk-ant-|AIza|xox[abp]-|npm_")
_RULES = {rule: re.compile(pattern) for rule, pattern in _FORMATS.items()}
_EXAMPLE = b"EXAMPLE"
"""How the keys of AWS's own documentation end; they open nothing."""


def search(lines: Sequence[bytes]) -> Iterator[tuple[str, int, str]]:
    """Yield rule, place in ``lines`` and the first four characters of each secret."""
    text = b"\n".join(lines)
    if not _HINTS.search(text):
        return
    ends = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for rule, pattern in _RULES.items():
        for match in pattern.finditer(text):
            if rule == "aws-access-key" and match[0].endswith(_EXAMPLE):
                continue
            yield rule, bisect_right(ends, match.start()) - 1, match[0][:4].decode()
