"""What workers are told: each its own, from checkpoints that are believed while they are whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitcto.context.render import render
from gitcto.git.objects import Objects
from gitcto.git.repository import discover
from gitcto.model.records import TaskSpec, TaskState
from gitcto.runtime.agents.worker_context import checkpoints, last_checkpoint, read_checkpoint
from tests.runtime.team.conftest import TeamRepo, write

COPY = (
    'env > env.txt; cat "$(dirname "$HOME")/prompt.md" > prompt.txt; ls -R .. > seen.txt 2>&1; true'
)
"""What a worker does to show all that it was given."""

SHOWN = ("env.txt", "prompt.txt", "seen.txt")


def prompts(team: TeamRepo, name: str) -> list[bytes]:
    """Return what a task's workers were told, from the ledger, the first time first."""
    objects = Objects(discover(team.path, team.environ))
    with team.ledger() as ledger:
        events = list(checkpoints(ledger, name))[::-1]
    return [render(read_checkpoint(objects, event, name).stream) for event in events]


def blobs(team: TeamRepo, name: str) -> list[Path]:
    """Return where the checkpoints of a task lie in git, the newest first."""
    with team.ledger() as ledger:
        found = [event.blob for event in checkpoints(ledger, name)]
    return [team.path / ".git" / "objects" / blob[:2] / blob[2:] for blob in found]


def failing(summary: str) -> list[dict[str, object]]:
    """Return what a worker does that says something, and changes nothing."""
    return [{"do": "print", "text": summary}]


@pytest.mark.parametrize("level", ["none", "strict"])
def test_nothing_of_one_worker_reaches_another(
    team: TeamRepo, level: str, request: pytest.FixtureRequest
) -> None:
    """Secrets in prompts, in what workers say and in the environment of whoever runs the team."""
    if level == "strict":
        request.getfixturevalue("bwrap")
    argv = json.dumps(["sh", "-c", f"{COPY}; echo said-of-{{task.id}}"])
    team.environ |= {"API_TOKEN": "token-of-the-host", "GH_TOKEN": "another-token-of-the-host"}
    team.policy_text = team.policy_text.replace(
        'plugin = "fake"', f'plugin = "command"\nargv = {argv}'
    ).replace('use = ["none"]', f'use = ["{level}"]')
    team.plan(
        TaskSpec(id="A", title="a", prompt="secret-of-A"),
        TaskSpec(id="B", title="b", prompt="secret-of-B", paths=("b/**",)),
    )
    team.run()
    assert team.tasks()["A"].state is TaskState.DONE
    kept = team.preserved()
    assert len(kept) == 2  # both attempts at B
    seen = {
        "A": {each: team.show(each) for each in SHOWN},
        "B": {f"{ref} {each}": team.show(each, ref) for ref in kept for each in SHOWN},
    }
    assert "secret-of-A" in seen["A"]["prompt.txt"]
    told = [text for each, text in seen["B"].items() if each.endswith("prompt.txt")]
    assert all("secret-of-B" in text for text in told)
    assert sum("said-of-B" in text for text in told) == 1  # the second attempt is told
    for mine, other in (("A", "B"), ("B", "A")):
        for text in (*seen[mine].values(), *(prompt.decode() for prompt in prompts(team, mine))):
            assert f"secret-of-{other}" not in text
            assert f"said-of-{other}" not in text
            assert "token-of-the-host" not in text


def test_an_attempt_goes_on_from_what_the_one_before_was_told(team: TeamRepo) -> None:
    team.policy_text = team.policy_text.replace("max_attempts = 2", "max_attempts = 3")
    team.plan(team.task("A", failing("I gave up"), failing("again"), [write("a.txt", "a\n")]))
    team.run()
    assert team.landed() == ["A"]
    last = prompts(team, "A")[-1].decode()
    assert last.startswith("# A: do A\n\n## Rules\n")
    assert "- attempt 1 failed: worker_empty:" in last
    assert "- attempt 2 failed: worker_empty:" in last
    assert "From attempt 1:\n\n> I gave up" in last
    assert "From attempt 2:\n\n> again" in last
    with team.ledger() as ledger:
        found = list(checkpoints(ledger, "A"))[::-1]
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert [each.previous for each in found[1:]] == [each.checksum for each in found[:-1]]
    assert team.tasks()["A"].checkpoint == len(found)


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_damaged_checkpoint_is_not_believed_and_the_one_before_it_is(
    team: TeamRepo, damage: str
) -> None:
    team.plan(team.task("A", failing("I gave up"), [write("a.txt", "a\n")]))
    interrupted: list[bool] = []
    team.told.on["execution.failed"] = lambda _: interrupted.append(True)
    team.run(lambda: bool(interrupted))
    newest, before = blobs(team, "A")[:2]
    whole = before.read_bytes()
    data = newest.read_bytes()
    newest.chmod(0o644)
    if damage == "gone":
        newest.unlink()
    else:
        newest.write_bytes(data[: len(data) // 2] if damage == "cut" else whole)
    team.told.on.clear()
    team.run()
    assert team.landed() == ["A"]
    [told] = [note for note in team.told.notes if "checkpoint" in note]
    assert told.startswith("checkpoint 2 of what A is told: ")
    assert told.endswith("; going on from the one before")
    with team.ledger() as ledger:
        found = {event.number: event for event in checkpoints(ledger, "A")}
        last = last_checkpoint(Objects(discover(team.path, team.environ)), ledger, "A")
    assert found[3].previous == found[1].checksum
    assert last.checkpoint is not None
    prompt = render(last.checkpoint.stream).decode()
    assert "attempt 1 failed" in prompt
    assert "I gave up" not in prompt
