"""What names a policy may use: each check returns what is wrong, or an empty string."""

from __future__ import annotations

import re

from gitcto.model.ids import is_name
from gitcto.model.isolation import STRENGTH
from gitcto.model.plan import path_complaint
from gitcto.policy.stages import REPOSITORY_CLASSES

_RANGE = re.compile(r"\s*(?:>=|<=|==|!=|>|<)\s*[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.dev)[0-9]+)?\s*\Z")
_BAD_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_LONGEST_BRANCH = 200
_LONGEST_PERSON = 200
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DAY = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\Z")
_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")
_DESTINATION = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}\Z")


def name(text: str) -> str:
    """Check a role's, provider's, gate's, plugin's or strategy's name."""
    if is_name(text):
        return ""
    return "names are lower-case letters, digits, - and _, begin with a letter, 40 at most"


def name_or_none(text: str) -> str:
    """Check a plugin's name, or nothing for none."""
    return name(text) if text else ""


def pattern(text: str) -> str:
    """Check a glob of paths."""
    return path_complaint(text)


def command_word(text: str) -> str:
    """Check one word of an argv list."""
    return "a NUL cannot be part of a command" if "\0" in text else ""


def relative_path(text: str) -> str:
    """Check a path inside a room."""
    if not text or text.startswith("/") or ".." in text.split("/") or "\0" in text:
        return "give a path inside the workspace, without a leading / and without .."
    return ""


def readable_path(text: str) -> str:
    """Check a path of the machine that workers may read."""
    if text.startswith(("/", "~/")) and "\0" not in text and ".." not in text.split("/"):
        return ""
    return "give an absolute path, or one that begins with ~/"


def key_file(text: str) -> str:
    """Check the path of a key's file; an empty one names none."""
    return readable_path(text) if text else ""


def host_and_port(text: str) -> str:
    """Check a network destination such as ``api.example.com:443``."""
    if _DESTINATION.match(text):
        return ""
    return "give a host and a port, such as api.example.com:443; *.example.com covers subdomains"


def isolation(text: str) -> str:
    """Check a level of isolation."""
    return "" if text in STRENGTH else f"the levels are {', '.join(STRENGTH)}"


def tell_or_refuse(text: str) -> str:
    """Check what something that should not be is to mean."""
    return "" if text in {"tell", "refuse"} else 'give "tell" or "refuse"'


def repository_class(text: str) -> str:
    """Check the class of a repository."""
    classes = REPOSITORY_CLASSES
    return "" if text in classes else f"the classes are {', '.join(classes)}"


def admission(text: str) -> str:
    """Check whose program must be admitted."""
    return "" if text in {"backends", "all"} else 'give "backends" or "all"'


def asking(text: str) -> str:
    """Check who approves of drafted plans."""
    return "" if text in {"ask", "auto"} else 'give "ask" or "auto"'


def variable(text: str) -> str:
    """Check the name of an environment variable."""
    return "" if _VARIABLE.match(text) else "give the name of an environment variable"


def person(text: str) -> str:
    """Check a person's name or address, as ``git cto`` records who acts."""
    if text.strip() == text and text.isprintable() and 0 < len(text) <= _LONGEST_PERSON:
        return ""
    return "give one line of at most 200 characters, such as alice@example.com"


def day(text: str) -> str:
    """Check a day."""
    return "" if _DAY.match(text) else 'give a day such as "2027-01-31"'


def remote(text: str) -> str:
    """Check the name of a remote: no URL, and nothing that git reads as an option."""
    return "" if _REMOTE.match(text) else "give the name of a remote, such as origin"


def version_range(text: str) -> str:
    """Check a version range such as ``>=0.1, <2``; an empty one accepts any version."""
    if not text.strip() or all(map(_RANGE.match, text.split(","))):
        return ""
    return 'a version range looks like ">=0.1, <2"'


def branch(text: str) -> str:
    """Check the name of a branch."""
    return "give the name of a branch" if "{" in text else target(text)


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
