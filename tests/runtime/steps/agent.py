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
    changes = dict(re.findall(r"The patch in seat (\w+): change ([0-9a-f]{64})", prompt))
    said = {
        "version": 1,
        "change": changes[chosen or next(iter(changes))],
        "verdict": verdict,
        "summary": f"it says {Path('work.txt').read_text().strip()!r}" if chosen is None else "",
        "findings": [],
    }
    if chosen is not None:
        said["chosen"] = chosen
    print(json.dumps(said))


def write(prompt: str) -> None:
    round_ = number()
    told = "told" if "Findings" in prompt else "new"
    Path("work.txt").write_text(f"round {round_} {told}\n")
    Path(f"{Path.cwd().parent.name.partition('.')[2] or 'main'}.txt").write_text("mine\n")
    print(f"round {round_} is done")


def wait(name: str) -> None:
    """Wait until somebody makes a file in the user's own home."""
    signal = Path(__file__).parent / name
    while not signal.exists():
        time.sleep(0.02)


def main() -> None:
    part, prompt_file = sys.argv[1:]
    prompt = Path(prompt_file).read_text()
    if part == "write":
        write(prompt)
    elif part == "write-letter":
        write(prompt)
        Path("letter.txt").write_text("yes\n" if "please add a letter" in prompt else "no\n")
    elif part == "nothing":
        print("all is done")
    elif part == "approve":
        answer(prompt, "approve")
    elif part == "reject":
        answer(prompt, "reject")
    elif part == "reject-first":
        answer(prompt, "reject" if "round 1" in Path("work.txt").read_text() else "approve")
    elif part == "babble":
        print("It looks good to me.")
    elif part == "meddle":
        Path("work.txt").write_text("better\n")
        answer(prompt, "approve")
    elif part == "wait":
        wait("go")
        answer(prompt, "approve")
    elif part == "meddle-there":
        room = Path.cwd().parent.parent / Path.cwd().parent.name.partition(".")[0] / "room"
        (room / "work.txt").write_text("sneaked in\n")
        answer(prompt, "approve")
    elif part.startswith("choose-"):
        answer(prompt, "approve", part.removeprefix("choose-"))
    else:
        raise SystemExit(f"no part {part}")


if __name__ == "__main__":
    main()
