"""What a run of an agent comes down to: what it used, and why it failed. Pure records."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta, MsgspecError, Struct, json

FaultKind = Literal[
    "auth",
    "quota",
    "rate",
    "model",
    "tool",
    "timeout",
    "killed",
    "protocol",
    "empty",
    "refused",
    "internal",
    "finish",
]
"""Why an agent's run is no success.

``auth`` and ``quota`` end all work with a provider until a person or time mends them; ``rate`` and
most of ``model`` (the model's server failed) pass by themselves; ``tool`` is the agent's program or
one that it ran; ``protocol`` a stream that was cut or is none; ``empty`` an answer without words or
an edit without changes; ``refused`` a tool that its permissions did not let it use; ``internal`` a
defect of ours or of a plugin; ``finish`` our own finishing command, which no provider reports.
"""

FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


MOST = (1 << 53) - 1
"""What is counted of anything at most: every reader of JSON has whole numbers up to there."""

MOST_WAIT_S = 7 * 24 * 3600
"""Longest time that a provider is believed to want us to wait (seconds)."""

Count = Annotated[int, Meta(ge=0, le=MOST)]


class Fault(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The envelope of an error, the same for every provider.

    ``retry_after_s`` is the seconds after which the provider says that it may be asked again (0:
    it does not say); ``provider_code`` what it calls the error (``429``, ``insufficient_quota``);
    ``detail`` one line for a person.
    """

    kind: FaultKind
    detail: str = ""
    retryable: bool = True
    retry_after_s: Annotated[int, Meta(ge=0, le=MOST_WAIT_S)] = 0
    provider_code: str = ""


class Usage(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What an agent used, as its provider counted it; without what a resumed session had before.

    ``input_tokens`` were read anew, ``cached_tokens`` from the provider's cache (the two do not
    overlap); ``output_tokens`` contain ``reasoning_tokens``. ``cost_micros`` is in millionths of a
    US dollar, None where the provider names no price.
    """

    input_tokens: Count = 0
    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_tokens: Count = 0
    cost_micros: Count | None = None

    @property
    def tokens(self) -> int:
        """All tokens, each once."""
        read = self.input_tokens + self.cached_tokens + self.cache_write_tokens
        return read + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Return both together; a cost is known as soon as one of them has one."""
        costs = [cost for cost in (self.cost_micros, other.cost_micros) if cost is not None]
        return Usage(
            input_tokens=min(MOST, self.input_tokens + other.input_tokens),
            cached_tokens=min(MOST, self.cached_tokens + other.cached_tokens),
            cache_write_tokens=min(MOST, self.cache_write_tokens + other.cache_write_tokens),
            output_tokens=min(MOST, self.output_tokens + other.output_tokens),
            reasoning_tokens=min(MOST, self.reasoning_tokens + other.reasoning_tokens),
            cost_micros=min(MOST, sum(costs)) if costs else None,
        )


def is_sound(record: Fault | Usage) -> bool:
    """Tell whether a record can be written and is read again as it was: what plugins say may not.

    Nothing checks the types of what they fill in; a record that nobody can read again would be the
    end of a ledger.
    """
    try:
        return json.decode(json.encode(record), type=type(record)) == record
    except (MsgspecError, OverflowError, TypeError, ValueError):
        return False
