"""Our own formats, on patches that git made."""

from __future__ import annotations

import base64
import json
import subprocess
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_secrets.gate import SecretsGate

from gitcto.api import CtoError, GateResult
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from pathlib import Path

# Put together here, so that no scanner finds them in this file.
SECRETS = {
    "private-key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "aws-access-key": "AKIA" + "2345ABCD" * 2,
    "github-token": "ghp_" + "a1B2" * 9,
    "github-fine-grained-token": "github_pat_" + "a1B2c3D4e5F" * 6,
    "anthropic-key": "sk-ant-" + "api03-" + "a1B2-c3_" * 5,
    "google-api-key": "AIza" + "a1B2c" * 7,
    "slack-token": "xoxb-" + "1234567890-" * 3 + "abc",
    "npm-token": "npm_" + "a1B2" * 9,
}


class Changed:
    """A repository whose change is judged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "-q")
        self.git("commit", "-q", "--allow-empty", "-m", "start")

    def git(self, *arguments: str) -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, check=True
        ).stdout

    def commit(self, **files: str | bytes) -> None:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (self.path / name).write_bytes(data)
        self.git("add", "-A")
        self.git("commit", "-qm", "change")

    def patch(self) -> bytes:
        options = ("-r", "-p", "--binary", "--full-index", "--no-renames")
        return self.git("diff-tree", *options, "HEAD~", "HEAD")

    def judged(self, **settings: Any) -> GateResult:
        return judged(self.patch(), **settings)


def judged(patch: bytes, **settings: Any) -> GateResult:
    return SecretsGate().judge(gate_context(patch=lambda: patch, settings=settings))


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    return Changed(tmp_path)


@pytest.mark.parametrize("rule", SECRETS)
def test_every_format_is_found_and_never_shown(changed: Changed, rule: str) -> None:
    secret = SECRETS[rule]
    changed.commit(config=f'first\nkey = "{secret}"\n')
    result = changed.judged()
    assert (result.status, result.reason) == ("fail", "secret_found")
    assert result.detail == f"{rule} in 'config':2 looks like a secret: {secret[:4]}…"
    everything = result.detail.encode() + result.log + result.artifacts["secrets.sarif"]
    assert secret[4:].encode() not in everything
    assert secret[:8].encode() not in everything


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",  # AWS's own documentation
        "AKIA" + "2345ABCD" * 2 + "X",
        "ghp_" + "a" * 10,
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN " + "CERTIFICATE-----",
        "a_npm_" + "a1B2" * 9,
        "the prefix sk-ant- and AIza and xoxb- and npm_ in a text",
    ],
)
def test_what_only_looks_like_one_passes(changed: Changed, text: str) -> None:
    changed.commit(config=text)
    assert changed.judged().status == "pass"


def test_what_was_there_and_what_goes_is_not_looked_at(changed: Changed) -> None:
    changed.commit(old=f"{SECRETS['npm-token']}\nsecond\n", gone=SECRETS["github-token"])
    (changed.path / "gone").unlink()
    changed.commit(old=f"{SECRETS['npm-token']}\nsecond, changed\n")
    assert changed.judged().status == "pass"


@pytest.mark.parametrize(
    "content",
    [
        SECRETS["github-token"].encode() + b"\0",
        SECRETS["github-token"].encode("utf-16"),
        b"\0" * 100_000 + SECRETS["github-token"].encode(),
    ],
)
def test_binary_files_hide_nothing(changed: Changed, content: bytes) -> None:
    changed.commit(data=content)
    result = changed.judged()
    assert (result.reason, result.detail.partition(" looks")[0]) == (
        "secret_found",
        "github-token in 'data'",
    )


def test_an_attribute_hides_nothing(changed: Changed) -> None:
    changed.commit(**{".gitattributes": "* binary\n", "config": SECRETS["npm-token"]})
    assert b"GIT binary patch" in changed.patch()
    assert changed.judged().reason == "secret_found"


def test_what_a_binary_file_gains_is_looked_into(changed: Changed) -> None:
    noise = bytes(range(256)) * 40
    changed.commit(data=noise)
    changed.commit(data=noise + SECRETS["npm-token"].encode() + noise)
    assert b"\ndelta " in changed.patch()
    assert changed.judged().reason == "secret_found"


def test_the_target_of_a_link_counts(changed: Changed) -> None:
    (changed.path / "link").symlink_to(SECRETS["npm-token"])
    changed.commit()
    assert changed.judged().reason == "secret_found"


def test_allowed_files_are_not_looked_at(changed: Changed) -> None:
    changed.commit(config=SECRETS["npm-token"], other="x")
    assert changed.judged(allow=("conf*",)).status == "pass"
    assert changed.judged(allow=("other",)).status == "fail"


def test_all_are_reported_with_fingerprints_that_stay(changed: Changed) -> None:
    token = SECRETS["npm-token"]
    changed.commit(config=f"{token}\n{token}\n")
    first = changed.judged()
    changed.git("reset", "-q", "--hard", "HEAD~")
    changed.commit(config=f"moved\n{token}\n\n{token}\n")
    second = changed.judged()

    def read(result: GateResult) -> list[tuple[int, str]]:
        run = json.loads(result.artifacts["secrets.sarif"])["runs"][0]
        return [
            (
                each["locations"][0]["physicalLocation"]["region"]["startLine"],
                each["partialFingerprints"]["ruleAndPlace/v1"],
            )
            for each in run["results"]
        ]

    assert first.detail.endswith(", and 1 more")
    assert [line for line, _ in read(first)] == [1, 2]
    assert [line for line, _ in read(second)] == [2, 4]
    prints = [fingerprint for _, fingerprint in read(first)]
    assert [fingerprint for _, fingerprint in read(second)] == prints
    assert len(set(prints)) == 2


def test_a_passing_verdict_has_a_report_too(changed: Changed) -> None:
    changed.commit(a="x")
    report = json.loads(changed.judged().artifacts["secrets.sarif"])
    assert report["runs"][0]["results"] == []


@pytest.mark.parametrize("patch", [b"nonsense", b"diff --git a/x b/x\n@@ -1 +1 @@\n"])
def test_what_cannot_be_read_is_not_green(patch: bytes) -> None:
    result = judged(patch)
    assert (result.status, result.reason) == ("not_run", "bad_patch")


def test_what_is_too_large_to_look_into_is_not_green() -> None:
    packed = zlib.compress(b"x")
    line = bytes([len(packed) + ord("A") - 1]) + base64.b85encode(packed, pad=True)
    size = (64 << 20) + 1
    patch = b"diff --git a/x b/x\nGIT binary patch\nliteral %d\n%s\n\nliteral 0\n\n" % (size, line)
    result = judged(patch)
    assert (result.status, result.reason) == ("not_run", "bad_patch")


@pytest.mark.parametrize(
    "settings",
    [
        {"alow": []},
        {"allow": "tests"},
        {"argv": "gitleaks"},
        {"argv": [""], "found_codes": [1]},
        {"argv": ["scan"]},
        {"argv": ["scan", "{nope}"], "found_codes": [1]},
        {"argv": ["scan"], "found_codes": [0]},
        {"argv": ["scan"], "found_codes": [127]},
        {"argv": ["scan"], "found_codes": [True]},
        {"found_codes": [1]},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate secrets: ") as caught:
        judged(b"", **settings)
    assert caught.value.hint
