"""The worker of this provider: a program that drives pi over its RPC protocol.

``python -I -m gitcto_pi.driver --prompt FILE --forget FILE [--told 1,2] -- pi --mode rpc …`` starts
pi, removes the file that it was to read once, with the key, gives it the prompt and then the
letters that come, hands on what it prints, and ends it. The mark in its mailbox, or SIGINT, makes
it abort what pi does; SIGTERM ends pi at once, with the commands that pi runs. The exit code is
pi's.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from gitcto.api import DriverLetter, DriverMail

LOOK_S = 0.1
"""How often the mailbox is looked at (seconds)."""

LEAVES_S = 10.0
"""How long pi may take to leave when it has nothing left to do, or was told to end (seconds)."""

PARSED_BYTES = 1 << 20
"""Longest record that is looked into; what the driver needs to know is said in short ones."""

REPEATS = frozenset({"agent_end", "tool_execution_update", "turn_end"})
"""Records that only say again, as a whole, what others say: they are not handed on."""

FIRST = ("state", "prompt")
"""What pi must not refuse."""

INTERRUPTED = 130
CANNOT_START = 127
_SIGNALLED = 128
_BLOCK = 1 << 16


class Conversation:
    """What pi is told, and when it is done."""

    def __init__(self, stdin: IO[bytes], mail: DriverMail, prompt: str, secret: Path) -> None:
        self._stdin = stdin
        self._mail = mail
        self._first = prompt
        self._secret = secret
        self._on_the_way: dict[str, DriverLetter] = {}
        self._working = False
        self.wanted_to_stop = False
        self.stopped = False

    def begin(self) -> None:
        """Ask for the session's id: when pi answers, it has read its files."""
        self._tell(id="state", type="get_state")

    def look(self) -> None:
        """Look into the mailbox: for the mark, and for a letter while pi is at work."""
        self._obey()
        if self._working and not self.stopped and (letter := self._mail.next()) is not None:
            self._on_the_way[letter.text] = letter
            self._tell(id=str(letter.number), type="steer", message=letter.text)

    def close(self) -> None:
        """Let pi leave: it does when nothing more can be told to it."""
        self._working = False
        with suppress(OSError):
            self._stdin.close()

    def _obey(self) -> None:
        """Abort what pi does when that is wanted, once; it says when it has."""
        if not self.stopped and (self.wanted_to_stop or self._mail.interrupted()):
            self.stopped = True
            self._tell(type="clear_queue")
            self._tell(type="abort")

    def heard(self, record: Mapping[str, Any]) -> None:
        """Take note of a record of pi."""
        match record.get("type"):
            case "agent_settled":
                self._settled()
            case "response" if record.get("id") in FIRST and not record.get("success"):
                self.close()
            case "response" if record.get("id") == "state":
                self._secret.unlink(missing_ok=True)
                self._obey()
                self._prompt(self._first)
            case "response" if record.get("command") == "abort":
                self.close()
            case "message_start":
                self._seen(record["message"])

    def _settled(self) -> None:
        """Go on with a letter that came too late for the turn, or let pi leave."""
        late = list(self._on_the_way.values())
        self._on_the_way.clear()
        if not late and (letter := self._mail.next()) is not None:
            late = [letter]
        if self.stopped or not late:
            self.close()
            return
        self._tell(type="clear_queue")
        self._prompt("\n\n".join(letter.text for letter in late))
        for letter in late:
            self._mail.shown(letter)

    def _seen(self, message: Mapping[str, Any]) -> None:
        """Mark a letter as shown when it is in pi's context."""
        if message["role"] == "user" and self._on_the_way:
            text = "".join(str(part.get("text", "")) for part in message["content"])
            letter = self._on_the_way.pop(text, None)
            if letter is not None:
                self._mail.shown(letter)

    def _prompt(self, text: str) -> None:
        if not self.stopped:
            self._working = True
            self._tell(id="prompt", type="prompt", message=text)

    def _tell(self, **record: str) -> None:
        with suppress(OSError, ValueError):  # it has left already
            self._stdin.write(json.dumps(record).encode("ascii") + b"\n")
            self._stdin.flush()


def main(argv: Sequence[str]) -> int:
    """Drive one run of pi; return the exit code."""
    parser = argparse.ArgumentParser(prog="gitcto_pi.driver")
    parser.add_argument("--prompt", type=Path, required=True)
    parser.add_argument("--forget", type=Path, required=True)
    parser.add_argument("--told", default="")
    parser.add_argument("argv", nargs="+")
    asked = parser.parse_args(argv)
    told = [int(number) for number in asked.told.split(",") if number]
    prompt = asked.prompt.read_text(encoding="utf-8", errors="replace")
    mail = DriverMail(Path(os.environ.get("CTO_MAIL", os.devnull)), told)
    try:
        process = subprocess.Popen(
            asked.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
    except OSError as error:
        sys.stderr.write(f"cannot start {asked.argv[0]}: {error.strerror}\n")
        asked.forget.unlink(missing_ok=True)
        return CANNOT_START
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    talk = Conversation(process.stdin, mail, prompt, asked.forget)
    try:
        return _drive(process, talk, process.stdout.fileno())
    finally:
        asked.forget.unlink(missing_ok=True)


def _drive(process: subprocess.Popen[bytes], talk: Conversation, source: int) -> int:
    """Let it work until it leaves; SIGINT is the wish to stop it, SIGTERM ends it."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        talk.wanted_to_stop = True

    def terminate(_number: int, _frame: FrameType | None) -> None:
        process.terminate()

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, terminate)
    talk.begin()
    _relay(source, talk)
    talk.close()
    try:
        code = process.wait(LEAVES_S)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    if talk.stopped:
        return INTERRUPTED
    return code if code >= 0 else _SIGNALLED - code


def _relay(source: int, talk: Conversation) -> None:
    """Hand on what pi prints, line by line, until it has closed its output."""
    held = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(source, selectors.EVENT_READ)
        while True:
            if ready.select(LOOK_S):
                block = os.read(source, _BLOCK)
                if not block:
                    break
                *lines, rest = block.split(b"\n")
                for line in lines:
                    _hand_on(bytes(held) + line, talk)
                    held.clear()
                held += rest
            talk.look()
    if held:
        _hand_on(bytes(held), talk)


def _hand_on(line: bytes, talk: Conversation) -> None:
    record: Any = None
    if len(line) <= PARSED_BYTES:
        with suppress(ValueError):
            record = json.loads(line)
    if not isinstance(record, dict):
        repeats = any(line.startswith(f'{{"type":"{kind}"'.encode()) for kind in REPEATS)
    else:
        repeats = record.get("type") in REPEATS
        with suppress(KeyError, TypeError, AttributeError):
            talk.heard(record)
    if not repeats:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
