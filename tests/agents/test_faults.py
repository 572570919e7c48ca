"""What errors mean, in the words in which real CLIs and servers report them."""

from __future__ import annotations

import pytest

from gitcto.api import fault_of

CASES = [
    ("unexpected status 401 Unauthorized: scripted 401, url: http://127.0.0.1", "auth", False),
    ("unexpected status 403 Forbidden: scripted 403", "auth", False),
    ("exceeded retry limit, last status: 429 Too Many Requests", "rate", True),
    ("You exceeded your current quota, please check your plan and billing", "quota", False),
    ("429 insufficient_quota", "quota", False),
    ("Quota exceeded for quota metric 'requests per minute', status 429", "rate", True),
    ("unexpected status 500 Internal Server Error", "model", True),
    ("unexpected status 503 Service Unavailable: x", "model", True),
    ("unexpected status 400 Bad Request: scripted 400", "model", False),
    ("unexpected status 404 Not Found", "model", False),
    (
        "We\u2019re currently experiencing high demand, which may cause temporary errors.",
        "model",
        True,
    ),
    ("stream disconnected before completion: stream closed before response", "protocol", True),
    ("stream disconnected before completion: error sending request", "model", True),
    ("Connection failed: error sending request", "model", True),
    ("read ECONNRESET", "protocol", True),
    ("connect ECONNREFUSED 127.0.0.1:9", "model", True),
    ("Invalid API key · Please run /login", "auth", False),
    ("402 Payment Required", "quota", False),
    ("it broke after 500 tokens", "tool", True),
    ("", "tool", True),
]


@pytest.mark.parametrize(("text", "kind", "retryable"), CASES)
def test_a_message_has_a_class(text: str, kind: str, retryable: bool) -> None:
    found = fault_of(text)
    assert (found.kind, found.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, "auth", False),
        (402, "quota", False),
        (403, "auth", False),
        (408, "model", True),
        (422, "model", False),
        (429, "rate", True),
        (500, "model", True),
        (529, "model", True),
    ],
)
def test_a_status_decides_before_words(status: int, kind: str, retryable: bool) -> None:
    found = fault_of("it failed", status=status)
    assert (found.kind, found.retryable, found.provider_code) == (kind, retryable, str(status))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 20s.", 20),
        ("Please retry in 12.3s", 13),
        ('"retryDelay": "34s"', 34),
        ("try again in 2 minutes", 120),
        ("usage limit reached, resets in 3 hours", 10800),
        ("retry-after: 7", 7),
        ("try again in 250ms", 1),
        ("try again in 900 days", 7 * 24 * 3600),
        ("exceeded retry limit, last status: 429 Too Many Requests", 0),
        ("no word of it", 0),
    ],
)
def test_when_to_ask_again_is_taken_from_the_message(text: str, seconds: int) -> None:
    assert fault_of(text).retry_after_s == seconds
    assert fault_of(text, retry_after_s=4.2).retry_after_s == 5


def test_a_detail_is_one_bounded_line() -> None:
    found = fault_of("a\n\x1b[31mb " + "c" * 9999, code="\x07" * 999)
    assert found.detail.startswith("a ?[31mb ccc")
    assert len(found.detail) == 300
    assert len(found.provider_code) <= 80
