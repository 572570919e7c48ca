"""Statements in envelopes (DSSE v1): what is signed is the payload together with its type."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from gitcto.evidence.canonical import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature over the pre-authentication encoding; ``keyid`` is a hint and proves nothing."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as it was read."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, signatures: tuple[Signature, ...]) -> bytes:
    """Return a statement in its envelope; without signatures it only names its type."""
    content = {
        "payload": _text(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": one.keyid, "sig": _text(one.sig)} for one in signatures],
    }
    return canonical(content) + b"\n"


def opened(raw: bytes) -> Envelope:
    """Read an envelope. Raises ``ValueError`` when it is none."""
    try:
        content = json.loads(raw)
        read = Envelope(
            content["payloadType"],
            base64.b64decode(content["payload"], validate=True),
            tuple(
                Signature(str(one["keyid"]), base64.b64decode(one["sig"], validate=True))
                for one in content["signatures"]
            ),
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("this is no DSSE envelope") from error
    if envelope(read.payload, read.signatures) != raw and read.payload_type == PAYLOAD_TYPE:
        raise ValueError("this DSSE envelope is not in canonical form")
    return read


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
