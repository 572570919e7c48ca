"""Changing frozen records, for those who do not know what they are made of."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

_Record = TypeVar("_Record", bound=Struct)


def amended(record: _Record, **changes: Any) -> _Record:
    """Return a record with other values in some fields; raises ``TypeError`` for unknown ones."""
    return replace(record, **changes)
