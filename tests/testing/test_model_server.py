"""The scripted model server: each protocol, each kind of step, and how it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from gitcto.testing.model_server import ModelServer, read_script

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = {"tools": [{"name": "run"}]}
CALL = {"tool": "run", "args": {"cmd": "ls"}, "think": "hm", "preamble": "I look."}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as made:
        yield made


def post(url: str, body: object, *, verb: str = "POST") -> tuple[int, str]:
    parts = urlsplit(url)
    peer = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        peer.request(verb, f"{parts.path}?{parts.query}", json.dumps(body))
        answer = peer.getresponse()
        return answer.status, answer.read().decode()
    finally:
        peer.close()


def data(stream: str) -> list[Any]:
    lines = [line[6:] for line in stream.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_responses(server: ModelServer) -> None:
    server.script("s", [CALL, {"text": "done", "usage": {"in": 7, "out": 3}}])
    url = server.url("s", "r") + "/v1/responses"
    first = data(post(url, TOOLS)[1])
    items = [each["item"] for each in first if each["type"] == "response.output_item.done"]
    assert [item["type"] for item in items] == ["reasoning", "message", "function_call"]
    assert json.loads(items[2]["arguments"]) == {"cmd": "ls"}
    last = data(post(url, TOOLS)[1])[-1]["response"]
    assert last["output"][0]["content"][0]["text"] == "done"
    assert (last["usage"]["input_tokens"], last["usage"]["output_tokens"]) == (7, 3)


def test_chat(server: ModelServer) -> None:
    server.script("s", [CALL, {"text": "done"}])
    url = server.url("s", "r") + "/v1/chat/completions"
    status, text = post(url, {**TOOLS, "stream": True})
    assert (status, text.rstrip().splitlines()[-1]) == (200, "data: [DONE]")
    calls = [
        call
        for chunk in data(text)
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert "".join(call["function"]["arguments"] for call in calls) == '{"cmd": "ls"}'
    whole = json.loads(post(url, TOOLS)[1])
    assert whole["choices"][0]["message"]["content"] == "done"


def test_messages(server: ModelServer) -> None:
    server.script("s", [CALL, {"text": "done"}])
    url = server.url("s", "r") + "/v1/messages"
    events = data(post(url, {**TOOLS, "stream": True})[1])
    kinds = [each["content_block"]["type"] for each in events if "content_block" in each]
    assert kinds == ["thinking", "text", "tool_use"]
    assert events[-1] == {"type": "message_stop"}
    whole = json.loads(post(url, TOOLS)[1])
    assert whole["content"] == [{"type": "text", "text": "done"}]
    assert json.loads(post(f"{url}/count_tokens", {"a": "b" * 40})[1])["input_tokens"] > 9


def test_gemini(server: ModelServer) -> None:
    server.script("s", [CALL, {"text": "done"}, {}])
    url = server.url("s", "r") + "/v1beta/models/gemini-x:"
    events = data(post(f"{url}streamGenerateContent?alt=sse", TOOLS)[1])
    parts = [part for each in events for part in each["candidates"][0]["content"]["parts"]]
    assert parts[-1]["functionCall"]["args"] == {"cmd": "ls"}
    assert "usageMetadata" in events[-1]
    whole = json.loads(post(f"{url}generateContent", TOOLS)[1])
    assert whole["candidates"][0]["content"]["parts"] == [{"text": "done"}]
    empty = data(post(f"{url}streamGenerateContent", TOOLS)[1])
    assert empty[0]["candidates"][0]["content"]["parts"] == []


@pytest.mark.parametrize("path", ["responses", "chat/completions", "messages", "models/m:x"])
def test_a_failure_is_told_in_each_protocol(server: ModelServer, path: str) -> None:
    server.script("s", [{"http": 429, "headers": {"retry-after": "7"}}])
    status, body = post(f"{server.url('s', 'r')}/v1/{path}", TOOLS)
    assert (status, "scripted 429" in body) == (429, True)


def test_requests_without_tools_use_up_no_step(server: ModelServer) -> None:
    server.script("s", {"steps": [{"text": "one"}, {"text": "two"}], "aux": {"text": "title"}})
    url = server.url("s", "r") + "/v1/chat/completions"
    said = [json.loads(post(url, body)[1]) for body in ({}, TOOLS, {}, TOOLS, TOOLS)]
    words = [each["choices"][0]["message"]["content"] for each in said]
    assert words == ["title", "one", "title", "two", "two"]
    run = server.run("r")
    assert (run.main, run.aside, run.last_step) == (3, 2, 1)
    assert [entry["step"] for entry in run.log] == [-1, 0, -1, 1, 1]
    counts = post(f"http://127.0.0.1:{server.port}/runs/r", {}, verb="GET")[1]
    assert json.loads(counts) == {"requests": 5, "main": 3, "aux": 2, "last_step": 1}


def test_a_cut_stream_begins_and_has_no_end(server: ModelServer) -> None:
    server.script("s", [{"text": "never all of it", "drop": True}])
    events = data(post(server.url("s", "r") + "/v1/responses", TOOLS)[1])
    assert [each["type"] for each in events] == ["response.created"]


@pytest.mark.parametrize("how", ["hang", "hang_after_start", "delay", "gap"])
def test_whatever_it_waits_for_ends_with_the_server(how: str) -> None:
    with ModelServer() as server:
        server.script("s", [{how: 600, "text": "late"}])
        url = server.url("s", "r") + "/v1/responses"
        gone = threading.Event()

        def ask() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                post(url, TOOLS)
            gone.set()

        asking = threading.Thread(target=ask)
        asking.start()
        while not server.run("r").requests:
            assert asking.is_alive()
    assert gone.wait(30)
    asking.join()


def test_nobody_knows_such_a_thing(server: ModelServer) -> None:
    server.script("s", [{"text": "x"}])
    assert post(f"http://127.0.0.1:{server.port}/elsewhere", {})[0] == 404
    assert post(server.url("s", "r") + "/v1/embeddings", {})[0] == 404
    assert post(server.url("other", "r") + "/v1/responses", TOOLS)[0] == 404
    assert server.run("r").log[0]["step"] is None


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([], "at least one step"),
        ("text", "a list of steps"),
        ([{"txt": "x"}], "a step has no 'txt'"),
        ([{"usage": {"input": 1}}], "usage has no 'input'"),
        ({"steps": [{}], "more": 1}, "a script has no 'more'"),
        (["text"], "a step is a table"),
    ],
)
def test_a_script_is_read_strictly(script: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_script(script)


def test_as_a_program_it_serves_until_it_is_interrupted(tmp_path) -> None:
    (tmp_path / "hello.json").write_text(json.dumps([{"text": "hello"}]))
    program = subprocess.Popen(
        [
            *(sys.executable, "-m", "gitcto.testing.model_server"),
            *("--scripts", str(tmp_path), "--log", str(tmp_path / "log")),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        base = program.stdout.readline().strip()
        assert post(f"{base}/scenario/bad", [], verb="PUT")[0] == 400
        assert "hello" in post(f"{base}/s/hello/one/v1/responses", TOOLS)[1]
        assert (tmp_path / "log" / "one.jsonl").read_text().count("\n") == 1
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=30)
    assert program.returncode == 0


def test_a_request_gets_the_script_of_its_topic(server: ModelServer) -> None:
    scripts = {"T-1": [{"text": "one"}, {"text": "again"}], "T-2": [{"text": "two"}]}
    server.topics("both", scripts)
    url = server.url("both", "r") + "/v1/responses"

    def say(topic: str) -> str:
        last = data(post(url, {**TOOLS, "input": f"do {topic}"})[1])[-1]["response"]
        return str(last["output"][0]["content"][0]["text"])

    assert [say("T-2"), say("T-1"), say("T-2"), say("T-1")] == ["two", "one", "two", "again"]
    assert (server.run("r.T-1").main, server.run("r.T-2").main) == (2, 2)
    assert post(url, {**TOOLS, "input": "do T-3"})[0] == 404


def test_a_step_quotes_what_it_was_asked(server: ModelServer) -> None:
    find = {"id": "change ([0-9a-f]+)", "path": "at (/[a-z]+)"}
    call = {"tool": "run", "args": {"cmd": "cat <<path>>"}}
    server.script("s", [{"text": 'it is "<<id>>"', "find": find, **call}])
    url = server.url("s", "r") + "/v1/responses"
    asked = {**TOOLS, "input": "change 12ab, no: change 34cd, at /there"}
    items = data(post(url, asked)[1])[-1]["response"]["output"]
    assert items[0]["content"][0]["text"] == 'it is "34cd"'
    assert json.loads(items[1]["arguments"]) == {"cmd": "cat /there"}
    unheard = data(post(url, {**TOOLS, "input": "nothing"})[1])[-1]["response"]["output"]
    assert unheard[0]["content"][0]["text"] == 'it is "<<id>>"'
