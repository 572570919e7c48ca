from __future__ import annotations

from typing import Any

import pytest
from gitcto_acp.dialect import Turn
from gitcto_acp.endings import LONGEST_MESSAGE, failing, meaning, refused, stopped


@pytest.mark.parametrize(
    ("reason", "turn", "edits", "name", "kind"),
    [
        ("end_turn", Turn(words=["Done."]), True, "", ""),
        ("end_turn", Turn(edited=True), True, "", ""),
        ("end_turn", Turn(edited=True), False, "edited", "tool"),
        ("end_turn", Turn(words=["No."], denied=["Edit"]), False, "", ""),
        ("end_turn", Turn(denied=["Edit"]), False, "denied", "refused"),
        ("cancelled", Turn(denied=["Edit"]), True, "denied", "refused"),
        ("cancelled", Turn(), True, "cancelled", "protocol"),
        ("refusal", Turn(), True, "refusal", "model"),
        ("max_tokens", Turn(), True, "max_tokens", "model"),
        ("max_turn_requests", Turn(), True, "max_turn_requests", "model"),
        ("", Turn(), True, "unfit", "protocol"),
        ("done", Turn(), True, "unfit", "protocol"),
    ],
)
def test_a_turn_ends_well_only_by_itself(
    reason: str, turn: Turn, edits: bool, name: str, kind: str
) -> None:
    end = stopped(reason, turn, edits=edits)
    assert (end.kind, end.ok, end.name) == ("ended", not name, name)
    if not end.ok:
        assert end.text
        assert meaning(end.text, end.name).kind == kind


def test_the_last_event_repeats_the_end_of_a_long_message() -> None:
    end = stopped("end_turn", Turn(words=["x" * LONGEST_MESSAGE, "y"]), edits=True)
    assert (len(end.text), end.text[-1]) == (LONGEST_MESSAGE, "y")


@pytest.mark.parametrize(
    ("code", "message", "data", "expected"),
    [
        (429, '{"error":{"code":429}}', None, ("rate", True, "429")),
        (401, "bad key", None, ("auth", False, "401")),
        (500, "broken", None, ("model", True, "500")),
        (-32000, "Authentication required", None, ("auth", False, "-32000")),
        (-32603, "Internal error", None, ("model", True, "-32603")),
        (-32603, "Internal error: scripted", {"service": "x"}, ("model", True, "-32603")),
        (
            -32603,
            "Internal error",
            {"message": "unexpected status 401 Unauthorized: no", "codex_error_info": "other"},
            ("auth", False, "-32603"),
        ),
        (
            -32603,
            "Internal error",
            {"codex_error_info": {"response_stream_failed": {"http_status_code": 503}}},
            ("model", True, "-32603"),
        ),
        (-32603, "x", {"codex_error_info": "usage_limit_exceeded"}, ("quota", False, "-32603")),
    ],
)
def test_an_error_has_its_class(
    code: int, message: str, data: Any, expected: tuple[str, bool, str]
) -> None:
    end = refused(code, message, data)
    fault = meaning(end.text, end.name)
    assert (fault.kind, fault.retryable, fault.provider_code) == expected
    assert not end.ok


def test_what_we_did_ourselves_is_said_so() -> None:
    end = failing("interrupted")
    fault = meaning(end.text, end.name)
    assert (fault.kind, fault.detail) == ("killed", "it was asked to stop")
