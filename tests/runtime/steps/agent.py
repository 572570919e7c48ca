"""An agent that plays one part: run as ``python agent.py PART PROMPT_FILE`` in its room.

It counts its runs in its home, which all rounds in one seat share.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

HOME = Path(os.environ["HOME"])


def number() -> int:
    count = HOME / "runs"
    runs = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(runs))
    return runs


def answer(prompt: str, verdict: str, chosen: str | None = None) -> None:
    noted = "".join(re.findall(r"Notes of write\n\n> (.*)", prompt))
    changes = dict(re.findall(r"The patch in seat (\w+): change ([0-9a-f]{64})", prompt))
    said = {
        "version": 1,
        "change": changes[chosen or next(iter(changes))],
        "verdict": verdict,
        "summary": f"{noted}: {Path('work.txt').read_text().strip()!r}" if chosen is None else "",
        "findings": [],
    }
    if chosen is not None:
        said["chosen"] = chosen
    say(json.dumps(said))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def write(prompt: str) -> None:
    round_ = number()
    told = "told" if "Findings" in prompt else "new"
    letter = "with a letter" if "please add a letter" in prompt else "without"
    Path("work.txt").write_text(f"round {round_} {told} {letter}\n")
    Path(f"{Path.cwd().parent.name.partition('.')[2] or 'main'}.txt").write_text("mine\n")
    say(f"round {round_} is done")


def plant(prompt: str) -> None:
    """Put links in the way of whoever writes here next, outside all sandboxes."""
    write(prompt)
    scratch, victim = HOME.parent, Path(__file__).with_name("victim")
    (HOME / ".config").symlink_to(victim.parent)
    for place in (scratch / "prompt.md", scratch / "fake-agent.json"):
        place.unlink(missing_ok=True)
        place.symlink_to(victim)


def reject_first(prompt: str) -> None:
    answer(prompt, "reject" if "round 1" in Path("work.txt").read_text() else "approve")


def meddle(prompt: str) -> None:
    Path("work.txt").write_text("better\n")
    answer(prompt, "approve")


def meddle_there(prompt: str) -> None:
    """Change the room of the writer, whom it reviews."""
    place = Path.cwd().parent
    there = place.parent / place.name.partition(".")[0] / "room"
    (there / "work.txt").write_text("sneaked in\n")
    answer(prompt, "approve")


def wait(prompt: str) -> None:
    """Wait until somebody lets it go on, and say before that it waits."""
    folder = Path(__file__).parent
    (folder / "waits").touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    answer(prompt, "approve")


PARTS = {
    "write": write,
    "plant": plant,
    "nothing": lambda prompt: say("all is done"),
    "approve": lambda prompt: answer(prompt, "approve"),
    "reject": lambda prompt: answer(prompt, "reject"),
    "reject-first": reject_first,
    "babble": lambda prompt: say("It looks good to me."),
    "meddle": meddle,
    "meddle-there": meddle_there,
    "wait": wait,
    "choose-main": lambda prompt: answer(prompt, "approve", "main"),
    "choose-second": lambda prompt: answer(prompt, "approve", "second"),
}

if __name__ == "__main__":
    part, prompt_file = sys.argv[1:]
    PARTS[part](Path(prompt_file).read_text())
