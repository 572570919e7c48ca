"""Records read back from the canonical JSON that :func:`gitcto.model.codec.canonical` wrote."""

from __future__ import annotations

import msgspec

from gitcto.model.mail_records import Mail
from gitcto.model.records import Execution, Task, Team

_TEAM = msgspec.json.Decoder(Team)
_TASK = msgspec.json.Decoder(Task)
_EXECUTION = msgspec.json.Decoder(Execution)
_MAIL = msgspec.json.Decoder(Mail)


class RowError(ValueError):
    """A stored record is not what was written."""


def team(body: bytes) -> Team:
    """Read a team. Raises :class:`RowError`."""
    try:
        return _TEAM.decode(body)
    except msgspec.DecodeError as error:
        raise RowError(str(error)) from error


def task(body: bytes) -> Task:
    """Read a task. Raises :class:`RowError`."""
    try:
        return _TASK.decode(body)
    except msgspec.DecodeError as error:
        raise RowError(str(error)) from error


def execution(body: bytes) -> Execution:
    """Read an execution. Raises :class:`RowError`."""
    try:
        return _EXECUTION.decode(body)
    except msgspec.DecodeError as error:
        raise RowError(str(error)) from error


def mail(body: bytes) -> Mail:
    """Read a message. Raises :class:`RowError`."""
    try:
        return _MAIL.decode(body)
    except msgspec.DecodeError as error:
        raise RowError(str(error)) from error
