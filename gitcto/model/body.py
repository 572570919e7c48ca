"""What every kind of event shares."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Body(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What every kind of event shares: a tag (``kind``) and a version."""

    VERSION: ClassVar[int] = 1
