"""The driver with an agent that does what its script says: real processes, signals and files."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from gitcto_acp.provider import AcpProvider

from gitcto.api import INTERRUPT_MARK, Letter, SendRequest, ToolServer, Usage

SAY = {"do": "say", "text": "Done."}
ASK = {"do": "ask", "id": "a", "title": "Edit it", "kind": "edit", "answer": "answer"}
WAIT = {"do": "wait", "path": "waiting"}


def edit(text: str = "new\n") -> dict[str, Any]:
    return {"do": "edit", "path": "file.txt", "text": text}


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_an_edit_and_its_end(rig: Any) -> None:
    report = rig.run([{"do": "say", "text": "I will. "}, edit(), SAY])
    assert (report.fault, report.message, report.session) == (None, "Done.", "s-1")
    assert (rig.workspace / "file.txt").read_text() == "new\n"
    assert rig.heard() == ["Fix it."]
    events = AcpProvider().poll(rig.outcome(), "").events
    assert [event.kind for event in events] == [
        *("session", "message", "tool_started", "tool_ended", "edited", "message", "ended"),
    ]
    assert next(event.text for event in events if event.kind == "edited") == "file.txt"


def test_it_offers_no_files_and_no_terminal(rig: Any) -> None:
    rig.run([SAY])
    (hello,) = rig.asked("initialize")
    assert hello["clientCapabilities"] == {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
    }


@pytest.mark.parametrize(
    ("edits", "asks", "answer", "kind"),
    [
        (True, ASK, "o-allow_once", None),
        (True, ASK | {"options": ["reject_once"]}, "", "refused"),
        (False, ASK, "o-reject_once", None),
        (False, ASK | {"stop": True}, "o-reject_once", "refused"),
    ],
)
def test_permission_follows_what_the_run_may_do(
    rig: Any, edits: bool, asks: dict[str, Any], answer: str, kind: str | None
) -> None:
    report = rig.run([asks, SAY], how={"edits": edits})
    told = json.loads((rig.workspace / "answer").read_text())["outcome"]
    assert told.get("optionId", "") == answer
    assert (report.fault.kind if report.fault else None) == kind
    forbidden = not answer.startswith("o-allow")
    assert (bool(report.notes) or report.fault is not None) is forbidden


def test_a_run_that_reads_and_changes_files_is_no_success(rig: Any) -> None:
    report = rig.run([edit(), SAY], how={"edits": False})
    assert (report.fault.kind, report.fault.retryable) == ("tool", False)
    assert "to read only" in report.fault.detail


def send(rig: Any, number: int, subject: str) -> None:
    letter = Letter(number=number, sender="person:ada", subject=subject, body="")
    request = SendRequest(letter=letter, execution="01e", scratch=rig.scratch, settings={})
    assert AcpProvider().send(request).status == "taken"


def test_letters_come_in_place_one_after_the_other(rig: Any) -> None:
    send(rig, 3, "in the prompt already")
    hold = {"do": "hold", "path": "held", "until": "go"}
    rig.start([[hold, SAY], [{"do": "say", "text": "After the letter."}]])
    rig.await_file("held")
    send(rig, 12, "use v2")
    send(rig, 9, "use v3")
    (rig.workspace / "go").touch()
    report = rig.end()
    assert report.message == "After the letter."
    assert [text.partition("\n")[0] for text in rig.heard()] == [
        *("Fix it.", "Message 9 from person:ada: use v3", "Message 12 from person:ada: use v2"),
    ]
    shown = {path.name for path in (rig.scratch / "mail" / "shown").iterdir()}
    assert shown == {"9", "12"}


@pytest.mark.parametrize("how", ["mark", "SIGINT", "SIGTERM"])
def test_an_interrupt_cancels_the_turn(rig: Any, how: str) -> None:
    rig.start([[WAIT]])
    rig.await_file("waiting")
    if how == "mark":
        (rig.scratch / INTERRUPT_MARK.path).write_text(INTERRUPT_MARK.text)
    else:
        rig.worker.send_signal(getattr(signal, how))
    report = rig.end()
    assert (report.fault.kind, report.fault.provider_code) == ("killed", "interrupted")
    assert rig.asked("session/cancel") == [{"sessionId": "s-1"}]
    assert report.session == "s-1"


def test_an_agent_that_stays_and_is_deaf_is_killed(rig: Any) -> None:
    daemon = {"do": "daemon", "path": "child"}
    report = rig.run([daemon, SAY], stays=True, deaf=True)
    assert report.fault is None
    child = int((rig.workspace / "child").read_text())
    deadline = time.monotonic() + 30
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("turn", "behaves", "kind", "says"),
    [
        ([{"do": "die"}], {}, "protocol", "with code 3"),
        ([SAY], {"version": 2}, "protocol", "version 2"),
        ([{"do": "end", "result": {"stopReason": "refusal"}}], {}, "model", "refuses"),
        ([], {}, "empty", ""),
    ],
)
def test_an_end_that_is_none_is_a_fault(
    rig: Any, turn: list[dict[str, Any]], behaves: dict[str, Any], kind: str, says: str
) -> None:
    report = rig.run(turn, **behaves)
    assert report.fault is not None
    assert report.fault.kind == kind
    assert says in report.fault.detail


def test_an_error_of_the_model_has_its_class(rig: Any) -> None:
    error = {"code": -32603, "message": "Internal error", "data": {"message": "status 401: no"}}
    report = rig.run([{"do": "error", "error": error}])
    assert (report.fault.kind, report.fault.retryable) == ("auth", False)
    assert report.fault.detail == "Internal error: status 401: no"


def test_a_turn_that_counted_nothing_was_cut(rig: Any) -> None:
    counted = {"input_tokens": 0, "output_tokens": 0}
    report = rig.run([SAY], answer={"_meta": {"quota": {"token_count": counted}}})
    assert (report.fault.kind, report.fault.retryable) == ("protocol", True)


def test_garbage_is_passed_over_and_told(rig: Any) -> None:
    junk = [{"do": "print", "text": text} for text in ("not json", "[1]", "7", '{"id": 99}', "")]
    report = rig.run([*junk, SAY])
    assert (report.fault, report.message) == (None, "Done.")
    assert any("no message" in note for note in report.notes)


def test_a_message_of_megabytes_is_read_and_one_without_an_end_is_not(rig: Any) -> None:
    big = {"do": "say", "text": "x", "times": 5 << 20}
    report = rig.run([big, edit(), SAY])
    assert (report.fault, report.message) == (None, "Done.")
    endless = {"do": "print", "text": "x", "times": 65 << 20, "end": ""}
    report = rig.run([endless, WAIT])
    assert (report.fault.kind, "67108864 bytes" in report.fault.detail) == ("protocol", True)


def test_a_session_goes_on_and_its_past_is_not_told_again(rig: Any) -> None:
    report = rig.run([SAY], how={"session": "s-1"})
    assert (report.fault, report.message, report.session) == (None, "Done.", "s-1")
    assert b"old" not in (rig.root / "out").read_bytes()
    report = rig.run([SAY], how={"session": "s-1"}, loads=False)
    assert (report.fault.kind, "earlier session" in report.fault.detail) == ("protocol", True)
    report = rig.run([SAY], how={"session": "s-2"})
    assert (report.fault.kind, report.fault.retryable) == ("protocol", False)
    assert report.fault.detail == "it cannot go on in session s-2: Resource not found"


def test_cost_of_a_session_is_counted_once(rig: Any) -> None:
    answer = {"usage": {"totalTokens": 150, "inputTokens": 100, "outputTokens": 50}}
    spent = {"used": 1, "size": 2, "cost": {"amount": 0.5, "currency": "USD"}}
    line: dict[str, Any] = {"jsonrpc": "2.0", "method": "session/update"}
    line["params"] = {"sessionId": "s-1", "update": {"sessionUpdate": "usage_update", **spent}}
    turn = [{"do": "print", "text": json.dumps(line)}, SAY]
    rig.start([turn], answer=answer, how={"session": "s-1"})
    before = Usage(input_tokens=900, cost_micros=200_000)
    report = rig.end(before=before)
    assert report.usage == Usage(input_tokens=100, output_tokens=50, cost_micros=300_000)
    assert AcpProvider().poll(rig.outcome(before=before), "").usage == report.usage


@pytest.mark.parametrize(
    ("offers", "method", "asked"),
    [
        ({"modes": {"availableModes": []}}, "session/set_mode", {"modeId": "plan"}),
        ({}, "session/set_config_option", {"configId": "mode", "value": "plan"}),
    ],
)
def test_the_mode_of_policy_is_set(
    rig: Any, offers: dict[str, Any], method: str, asked: dict[str, str]
) -> None:
    rig.settings = {"read_mode": "plan", "edit_mode": "auto", "auth": "api-key"}
    rig.run([SAY], offers=offers, how={"edits": False})
    assert rig.asked(method) == [{"sessionId": "s-1", **asked}]
    assert rig.asked("authenticate") == [{"methodId": "api-key"}]


def test_tools_are_offered_to_the_session(rig: Any) -> None:
    server = ToolServer(name="cto", argv=("/bin/server", "--stdio"), env={"A": "b"})
    rig.run([SAY], how={"tools": (server,)})
    (made,) = rig.asked("session/new")
    assert made["mcpServers"] == [
        {
            "name": "cto",
            "command": "/bin/server",
            "args": ["--stdio"],
            "env": [{"name": "A", "value": "b"}],
        }
    ]


def test_a_program_that_is_gone_is_no_riddle(rig: Any) -> None:
    rig.settings = {"argv": [str(rig.root / "gone")]}
    report = rig.run([SAY])
    assert (report.fault.kind, report.fault.retryable) == ("tool", False)
    assert "No such file" in report.fault.detail


def test_the_key_reaches_the_agent_and_no_command_line(rig: Any) -> None:
    rig.settings = {
        "key_env": "THEIR_KEY",
        "env": {"AGENT_KEY": "{key}"},
        "files": {".agent/config.json": '{{"key": "{key}", "model": "{model}"}}'},
        "model": "m-1",
    }
    request = rig.request({"turns": [[SAY]]})
    host = {**request.host_env, "THEIR_KEY": "canary-31415", "OTHER": "canary-27182"}
    launch = AcpProvider().launch(type(request)(**(fields(request) | {"host_env": host})))
    assert launch.env["AGENT_KEY"] == "canary-31415"
    assert "canary" not in " ".join(launch.argv)
    assert "canary-27182" not in str(launch)
    config = rig.scratch / "home" / ".agent" / "config.json"
    assert json.loads(config.read_text()) == {"key": "canary-31415", "model": "m-1"}
    assert (config.stat().st_mode & 0o777, os.access(config, os.R_OK)) == (0o600, True)
    assert "canary" not in (rig.scratch / "acp" / "job.json").read_text()


def fields(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in type(request).__slots__}
