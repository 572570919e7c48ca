"""What the policies of flows say beside :data:`gitcto.testing.crash_points.world.POLICY`."""

from __future__ import annotations

import json

from gitcto.testing.crash_points.flow import write
from gitcto.testing.crash_points.world import PAID, WITNESS
from gitcto.testing.strategies import DUAL, REVIEW, WRITE, strategy_toml

GATES = '[gates.nonempty]\n[tiers.P1]\ngates = ["nonempty"]\n'
TESTS = """\
[gates.nonempty]
[gates.tests]
argv = ["test", "!", "-e", "bad"]
deadline_s = 50
[tiers.P1]
gates = ["nonempty", "tests"]
"""
REMOTE = '[remote]\nname = "origin"\n'
PULLS = '[pull_requests]\nintegration = "bare-remote"\n'
SETUP = """\
[workspace.setup]
argv = ["sh", "-c", "mkdir -p made/deep && echo made > made/deep/it"]
keeps = ["made/deep"]
keyed_by = ["base.txt"]
"""

REVIEWED = strategy_toml("reviewed", [WRITE, REVIEW], {"reviewer": "reviewer"})
REVIEWED += """\
[providers.reviewer]
plugin = "command"
argv = ["python3", "-I", "-S", "-c", '''
import json, re, sys
change = re.search(": change ([0-9a-f]+)", open(sys.argv[1]).read())[1]
said = dict(version=1, change=change, verdict="approve", summary="", findings=[])
print(json.dumps(said))
''', "{prompt_file}"]
"""

_FIRST, _SECOND, _CHOICE = DUAL
TWO = strategy_toml(
    "dual",
    [_FIRST, _SECOND | {"role": "second"}, _CHOICE],
    {"second": "second", "reviewer": "judge"},
)
TWO += """\
[providers.second]
plugin = "command"
argv = ["sh", "-c", "echo second > second; printf 'second\\tsecond\\n' >> WITNESS"]
[providers.judge]
plugin = "command"
argv = ["python3", "-I", "-S", "-c", '''
import json, re, sys
change = re.search("seat second: change ([0-9a-f]+)", open(sys.argv[1]).read())[1]
print(json.dumps(dict(
    version=1, change=change, verdict="approve", chosen="second", summary="", findings=[]
)))
''', "{prompt_file}"]
""".replace("WITNESS", WITNESS)
"""The second writer's work is chosen, so that what the first one wrote must be kept."""

DRAFTED = {
    "version": 1,
    "summary": "one task",
    "tasks": [
        {
            "id": "one",
            "title": "do one",
            "prompt": "Write one.",
            "depends_on": [],
            "role": "doer",
            "tier": "P1",
            "priority": "normal",
            "paths": ["one"],
        }
    ],
}
ANSWER = (
    {"do": "append", "path": PAID, "text": "paid\n"},
    {"do": "message", "text": json.dumps(DRAFTED)},
)
DOING = write("one", "one\n")
DRAFTING = f"""\
[roles.doer]
provider = "doer"
[providers.doer]
plugin = "fake"
script = '''{json.dumps([DOING])}'''
[providers.drafter]
plugin = "fake"
script = '''{json.dumps([ANSWER])}'''
[plans]
approve_drafts = "auto"
"""
"""An agent that says what it was paid for, and one that does the task of its plan."""
