"""What names a policy may use: each check returns what is wrong, or an empty string."""

from __future__ import annotations

import re

from gitcto.model.ids import is_name
from gitcto.model.plan import path_complaint

_RANGE = re.compile(r"\s*(?:>=|<=|==|!=|>|<)\s*[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.dev)[0-9]+)?\s*\Z")
_BAD_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_LONGEST_BRANCH = 200


def name(text: str) -> str:
    """Check a role's, provider's, gate's or plugin's name."""
    if is_name(text):
        return ""
    return "names are lower-case letters, digits, - and _, begin with a letter, 40 at most"


def pattern(text: str) -> str:
    """Check a glob of paths."""
    return path_complaint(text)


def version_range(text: str) -> str:
    """Check a version range such as ``>=0.1, <2``; an empty one accepts any version."""
    if not text.strip() or all(map(_RANGE.match, text.split(","))):
        return ""
    return 'a version range looks like ">=0.1, <2"'


def target(text: str) -> str:
    """Check the template of the branch to land on, as ``git check-ref-format --branch`` would."""
    branch = text.replace("{team}", "team")
    if branch.startswith("refs/"):
        return "give a branch without refs/heads/; only branches can be landed on"
    if "{" in branch or "}" in branch:
        return "the only placeholder is {team}"
    parts = branch.split("/")
    if (
        not branch.isprintable()
        or len(branch.encode("utf-8", "replace")) > _LONGEST_BRANCH
        or _BAD_IN_BRANCH.search(branch)
        or branch.startswith("-")
        or branch.endswith(".")
        or branch.upper() in {"@", "HEAD"}
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    ):
        return "this is not a branch name that git accepts"
    return ""
