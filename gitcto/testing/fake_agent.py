"""A worker that does what its script says: works, hangs, floods, lies and dies on request.

Run as ``python -I fake_agent.py script.json``, with the standard library alone. The script is a
list with one entry per attempt, the last one repeating; an entry is a list of steps; a step is an
object with ``do`` and that verb's own keys (docs/how-to/write-a-plugin.md lists them). The number
of the attempt comes from ``CTO_ATTEMPT``, paths are relative to the current directory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

BAD_SCRIPT = 70
"""Exit code for a script that cannot be followed (``EX_SOFTWARE`` of sysexits.h)."""

MAX_SLEEP_S = 60.0
_CHUNK = 65536
_POLL_S = 0.01


def write(*, path: str, text: str = "", mode: str = "") -> None:
    """Write a file, making its folders; ``mode`` is octal (``755``)."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    if mode:
        file.chmod(int(mode, 8))


def append(*, path: str, text: str) -> None:
    """Append to a file."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def replace(*, path: str, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = Path(path).read_text(encoding="utf-8")
    if old not in text:
        raise ValueError(f"{old!r} is not in {path}")
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


def delete(*, path: str) -> None:
    """Delete a file."""
    Path(path).unlink()


def move(*, path: str, to: str) -> None:
    """Move a file, making the folders of its new place."""
    Path(to).parent.mkdir(parents=True, exist_ok=True)
    Path(path).rename(to)


def symlink(*, path: str, to: str) -> None:
    """Make a symbolic link at ``path``."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).symlink_to(to)


def say(*, text: str, stream: str = "stdout") -> None:
    """Print a line to ``stdout`` or ``stderr`` (the verb ``print``)."""
    out = {"stdout": sys.stdout, "stderr": sys.stderr}[stream]
    out.write(f"{text}\n")
    out.flush()


def tell(*, event: str) -> None:
    """Print an event as a line of JSON (the verb ``event``).

    After ``started``, the provider expects ``finished`` as the last line.
    """
    say(text=json.dumps({"event": event}))


def begin_session(*, id: str) -> None:  # noqa: A002 - the key in a script
    """Print the id of its session (the verb ``session``)."""
    say(text=json.dumps({"event": "session", "id": id}))


def speak(*, text: str) -> None:
    """Print words of the agent (the verb ``message``); the last ones are its answer."""
    say(text=json.dumps({"event": "message", "text": text}))


def use(**usage: int) -> None:
    """Print what was used since it was told last, in the fields of ``Usage``."""
    say(text=json.dumps({"event": "used", "usage": usage}))


def fail(*, kind: str, code: int = 1, **fault: Any) -> NoReturn:
    """Print a fault in the fields of ``Fault`` (the verb ``fault``) and end with ``code``."""
    say(text=json.dumps({"event": "fault", "fault": {"kind": kind, **fault}}))
    sys.exit(code)


def sleep(*, seconds: float) -> None:
    """Sleep for real; a minute at most."""
    time.sleep(min(float(seconds), MAX_SLEEP_S))


def wait_for(*, path: str, seconds: float = MAX_SLEEP_S) -> None:
    """Wait until a file exists, so that a test decides when work goes on."""
    deadline = time.monotonic() + min(float(seconds), MAX_SLEEP_S)
    while not Path(path).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(_POLL_S)


def hang(*, ignore: list[str] | None = None) -> NoReturn:
    """Do nothing for ever, deaf to the named signals (``["INT", "TERM"]``)."""
    for name in ignore or ():
        signal.signal(_signal(name), signal.SIG_IGN)
    say(text="hanging")
    while True:
        signal.pause()


def flood(*, size: int, stream: str = "stdout") -> None:
    """Write ``size`` bytes of output."""
    descriptor = {"stdout": 1, "stderr": 2}[stream]
    left = int(size)
    while left > 0:
        left -= os.write(descriptor, (b"flood " * _CHUNK)[: min(left, _CHUNK)])


def leave(*, code: int = 0) -> NoReturn:
    """End with an exit code (the verb ``exit``)."""
    sys.exit(code)


def die(*, by: str = "KILL") -> NoReturn:
    """Die by a signal, without a word."""
    number = _signal(by)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    while True:  # a signal may take a moment to arrive
        signal.pause()


def lie(*, text: str = "Done: everything is implemented and all tests pass.") -> NoReturn:
    """Claim success and leave, whatever was done before."""
    say(text=text)
    sys.exit(0)


def commit(*, message: str = "work") -> None:
    """Commit everything with git, as some agents do unasked."""
    identity = ("-c", "user.name=Fake Agent", "-c", "user.email=fake@localhost")
    for arguments in (("add", "--all"), ("commit", "--quiet", "--allow-empty", "-m", message)):
        subprocess.run(("git", *identity, *arguments), check=True)


def daemon(*, seconds: float = MAX_SLEEP_S, pid_file: str = "") -> None:
    """Leave a process behind, in its own session, that outlives this one unless it is ended."""
    seconds = min(float(seconds), MAX_SLEEP_S)
    argv = (sys.executable, "-I", "-c", f"import time; time.sleep({seconds!r})")
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    process.returncode = 0  # not ours to wait for
    if pid_file:
        write(path=pid_file, text=f"{process.pid}\n")


def await_mail(*, subject: str = "", save: str = "", seconds: float = MAX_SLEEP_S) -> None:
    """Wait for a message in the inbox, mark it as shown, and append it to the file ``save``."""
    deadline = time.monotonic() + min(float(seconds), MAX_SLEEP_S)
    while not (found := [each for each in _inbox() if subject in str(each["subject"])]):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no message with {subject!r} in its subject came")
        time.sleep(_POLL_S)
    for each in found:
        _drop("shown", str(each["mail"]), "")
        if save:
            append(path=save, text=json.dumps(each) + "\n")


def ack_mail(*, note: str = "", subject: str = "") -> None:
    """Acknowledge the messages in the inbox with a note, and clear them away."""
    for each in _inbox():
        if subject in str(each["subject"]):
            _drop("acked", str(each["mail"]), note)
            (_mail() / "inbox" / f"{each['mail']}.json").unlink()


def send_mail(*, name: str = "", **message: Any) -> None:
    """Send a message: ``to``, ``subject``, ``body``, ``key``, ``urgency`` and ``reply_to``."""
    _drop("outbox", f"{name or time.monotonic_ns()}.json", json.dumps(message))


def await_taken(*, seconds: float = MAX_SLEEP_S) -> None:
    """Wait until everything that was sent has been taken."""
    deadline = time.monotonic() + min(float(seconds), MAX_SLEEP_S)
    while any(_mail().joinpath("outbox").iterdir()):
        if time.monotonic() > deadline:
            raise TimeoutError("a message was not taken")
        time.sleep(_POLL_S)


def _mail() -> Path:
    return Path(os.environ["CTO_MAIL"])


def _inbox() -> list[dict[str, Any]]:
    """Return what is in the inbox and not acknowledged, the oldest first."""
    files = [path for path in (_mail() / "inbox").iterdir() if path.name[:1] != "."]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    return sorted(found, key=lambda each: int(each["mail"]))


def _drop(box: str, name: str, text: str) -> None:
    fresh = _mail() / f"{box}.{name}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.rename(_mail() / box / name)


def _signal(name: str) -> int:
    return int(signal.Signals[f"SIG{name.removeprefix('SIG')}"])


VERBS: dict[str, Callable[..., None]] = {
    "ack_mail": ack_mail,
    "append": append,
    "await_mail": await_mail,
    "await_taken": await_taken,
    "commit": commit,
    "daemon": daemon,
    "delete": delete,
    "die": die,
    "event": tell,
    "exit": leave,
    "fault": fail,
    "flood": flood,
    "hang": hang,
    "lie": lie,
    "message": speak,
    "move": move,
    "print": say,
    "replace": replace,
    "send_mail": send_mail,
    "session": begin_session,
    "sleep": sleep,
    "symlink": symlink,
    "use": use,
    "wait_for": wait_for,
    "write": write,
}
"""What a step's ``do`` may say."""


def steps_for(script: list[list[dict[str, Any]]], attempt: int) -> list[dict[str, Any]]:
    """Return the steps of an attempt (1 is the first); the last entry serves all later ones."""
    return script[min(max(attempt, 1), len(script)) - 1]


def follow(step: dict[str, Any]) -> None:
    """Do one step; raises ``KeyError`` or ``TypeError`` for a step nobody can follow."""
    arguments = dict(step)
    VERBS[arguments.pop("do")](**arguments)


def main() -> int:
    """Follow the script named on the command line and return the exit code."""
    script = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for step in steps_for(script, int(os.environ.get("CTO_ATTEMPT", "1"))):
        try:
            follow(step)
        except Exception as error:  # noqa: BLE001  # said, and told by the exit code
            say(text=f"fake agent: {step!r}: {type(error).__name__}: {error}", stream="stderr")
            return BAD_SCRIPT
    return 0


if __name__ == "__main__":
    sys.exit(main())
