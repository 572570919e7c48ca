"""What workers said they wrote, kept by the test, and what must be found of it afterwards.

The only thing that counts is the state of a stream's files when its last process was gone. It is
known up to one deed, the one announced and not confirmed: it was done, or not, or half.
"""

from __future__ import annotations

import json
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.dirty.worker import Part, State, content


@dataclass
class Stream:
    """One process's files below ``root``: as confirmed, and the deed in doubt, if there is one."""

    root: str
    state: State
    doubt: dict[str, Any] | None = None
    commits: list[str] = field(default_factory=list)
    contents: dict[str, list[Part]] = field(default_factory=dict)

    def hear(self, line: dict[str, Any]) -> None:
        """Take in one line of the journal."""
        if line["at"] == "before":
            self.doubt = line
            if "parts" in line:
                self.contents[line["entry"][1]] = [Part(part) for part in line["parts"]]
        elif line["at"] == "after":
            assert self.doubt is not None
            self.state, self.doubt = after(self.state, self.doubt), None
        else:
            self.state, self.doubt = _state(line["state"]), None
            self.commits += [line["commit"]] if line["commit"] else []

    def problem(self, found: State, reachable: set[str], read: Callable[[str], bytes]) -> str:
        """Return what of the files at the end is not in ``found``, or nothing.

        ``reachable`` are all blobs that a ref leads to: where a deed of git's own was cut short,
        each byte must be there, wherever git had put it. ``read`` returns a blob.
        """
        doubt = self.doubt
        if doubt is not None and doubt["do"] == "sweep":
            lost = {path: entry for path, entry in self.state.items() if entry[1] not in reachable}
            return f"lost in a sweep: {lost}" if lost else ""
        if found == self.state:
            return ""
        if doubt is not None and doubt["do"] != "commit":
            done = after(self.state, doubt)
            if found == done or (doubt["do"] == "put" and self._half(found, done, doubt, read)):
                return ""
        wanted = {path: entry for path, entry in self.state.items() if found.get(path) != entry}
        strange = {path: entry for path, entry in found.items() if self.state.get(path) != entry}
        return f"in doubt {doubt}: wanted {wanted}, found {strange}"

    def _half(
        self, found: State, done: State, doubt: dict[str, Any], read: Callable[[str], bytes]
    ) -> bool:
        """Tell whether the file that was being written holds the beginning of what it would."""
        path, blob = doubt["path"], doubt["entry"][1]
        others = [{p: e for p, e in state.items() if p != path} for state in (found, done)]
        whole = content(self.contents[blob])
        return others[0] == others[1] and path in found and whole.startswith(read(found[path][1]))


def after(state: State, deed: dict[str, Any]) -> State:
    """Return the files after a deed."""
    changed = dict(state)
    match deed["do"]:
        case "put" | "link":
            changed[deed["path"]] = (deed["entry"][0], deed["entry"][1])
        case "remove":
            changed.pop(deed["path"], None)
        case "move":
            changed[deed["to"]] = changed.pop(deed["path"])
        case "mode":
            changed[deed["path"]] = (deed["mode"], changed[deed["path"]][1])
    return changed


def _state(told: dict[str, list[str]]) -> State:
    return {path: (entry[0], entry[1]) for path, entry in told.items()}


class Journal:
    """Reads a fifo until it is closed; ``streams`` by execution and name."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.lines = 0
        self.streams: dict[str, dict[str, Stream]] = {}
        self._fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._end, self._ending = os.pipe()
        self._faults: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read what is left. Every writer must have ended."""
        os.close(self._ending)
        self._thread.join()
        os.close(self._fifo)
        os.close(self._end)
        assert self._faults == []

    def _read(self) -> None:
        try:
            self._listen()
        except Exception as error:  # noqa: BLE001  # told where the journal is closed
            self._faults.append(repr(error))

    def _listen(self) -> None:
        rest = b""
        while True:
            ready, _, _ = select.select([self._fifo, self._end], [], [])
            if self._fifo in ready:
                *lines, rest = (rest + os.read(self._fifo, 1 << 16)).split(b"\n")
                for line in lines:
                    self._hear(json.loads(line))
            elif self._end in ready:
                return

    def _hear(self, line: dict[str, Any]) -> None:
        self.lines += 1
        streams = self.streams.setdefault(line["x"], {})
        if line["at"] != "start":
            streams[line["stream"]].hear(line)
        elif line["stream"] in streams:
            self._faults.append(f"{line['x']} {line['stream']} was started twice")
        else:
            streams[line["stream"]] = Stream(line["root"], _state(line["state"]))
