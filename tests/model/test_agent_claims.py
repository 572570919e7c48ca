"""What a plugin says of a run is recorded only when every reader can hold it."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.model.agent_claims import (
    MOST_DETAIL,
    MOST_WAIT_S,
    UnbelievableError,
    believed_fault,
    believed_usage,
    believed_words,
)
from gitcto.model.agent_records import Fault, Usage


def test_a_fault_is_kept_within_bounds() -> None:
    said = Fault(kind="rate", detail="a\n\x1b" + "b" * 1000, retry_after_s=10**30)
    believed = believed_fault(said)
    assert believed.retry_after_s == MOST_WAIT_S
    assert (believed.detail[:3], len(believed.detail)) == ("a ?", MOST_DETAIL)
    assert believed_fault(Fault(kind="rate", retry_after_s=-1)).retry_after_s == 0
    plain = Fault(kind="quota", detail="no more", retryable=False, retry_after_s=60)
    assert believed_fault(plain) == plain


@pytest.mark.parametrize("fields", [{"kind": "overload"}, {"kind": "rate", "detail": None}])
def test_a_fault_that_is_none_is_not_believed(fields: dict[str, Any]) -> None:
    with pytest.raises(UnbelievableError):
        believed_fault(Fault(**fields))


@pytest.mark.parametrize("count", [-1, 10**30, "7", 1.5])
def test_usage_that_is_none_is_not_believed(count: Any) -> None:
    with pytest.raises(UnbelievableError):
        believed_usage(Usage(input_tokens=count))
    with pytest.raises(UnbelievableError):
        believed_usage(Usage(cost_micros=count))
    assert believed_usage(Usage(input_tokens=3)) == Usage(input_tokens=3)


def test_words_can_be_written() -> None:
    assert believed_words("é \ud800") == "é ?"
    with pytest.raises(UnbelievableError):
        believed_words(None)  # type: ignore[arg-type]
