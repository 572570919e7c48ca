"""Version ranges of required plugins (``>=0.1,<2``), without importing packaging."""

from __future__ import annotations

import re

_VERSION = re.compile(
    r"v?(\d+(?:\.\d+)*)(?:[._-]?(a|b|rc|dev|post)[._-]?(\d*))?(?:[.+_-][A-Za-z0-9.+_-]*)?\Z"
)
_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*([^\s,]+)\s*\Z")
_PHASE = {"dev": -4, "a": -3, "b": -2, "rc": -1, "": 0, "post": 1}

Key = tuple[tuple[int, ...], int, int]


def key(version: str) -> Key:
    """Return what orders ``version`` among others; raises ``ValueError`` for no version at all.

    Releases are numbers with dots, followed by at most one of ``dev``, ``a``, ``b``, ``rc`` and
    ``post``; trailing zeros and local parts do not matter.
    """
    match = _VERSION.match(version.strip().lower())
    if match is None:
        raise ValueError(f"{version!r} is not a version")
    release = [int(part) for part in match[1].split(".")]
    while len(release) > 1 and not release[-1]:
        release.pop()
    return tuple(release), _PHASE[match[2] or ""], int(match[3] or 0)


def within(version: str, wanted: str) -> bool:
    """Tell whether ``version`` satisfies every comma-separated clause of ``wanted``.

    An empty range is satisfied by any version. Raises ``ValueError`` when either cannot be read.
    """
    return all(_holds(key(version), clause) for clause in wanted.split(",") if wanted.strip())


def _holds(have: Key, clause: str) -> bool:
    match = _CLAUSE.match(clause)
    if match is None:
        raise ValueError(f"{clause.strip()!r} is not a version range like `>=0.1`")
    want = key(match[2])
    if match[1] == "<" and have[0] == want[0] and want[1] == _PHASE[""]:
        return False  # 2.0rc1 sorts before 2.0, yet it is what `<2` means to keep out (PEP 440)
    return {
        ">=": have >= want,
        "<=": have <= want,
        "==": have == want,
        "!=": have != want,
        ">": have > want,
        "<": have < want,
    }[match[1]]
