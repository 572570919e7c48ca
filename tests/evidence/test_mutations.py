"""A bundle that a real run wrote, changed in every way somebody might: each is refused, and why."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitcto.evidence.canonical import canonical, digest
from gitcto.evidence.compose import claims, following, sealed
from gitcto.evidence.events import GENESIS
from gitcto.evidence.manifest import FILE_MODE, MANIFEST, Found, Refusal, with_manifest
from gitcto.git.objects import Objects
from gitcto.git.repository import discover
from gitcto.runtime.proving.proof_evidence import NOBODY, check_attempt, evidence_of
from gitcto.store import bundle
from tests.runtime.team.conftest import TeamRepo, write

Files = dict[str, bytes]
Mutation = Callable[["Case"], list[Found]]


@dataclass(frozen=True)
class Case:
    """What a run left: the bundle of task A, that of task B, and how A's is checked."""

    files: Files
    other: Files
    check: Callable[[list[Found]], list[Refusal]]


@pytest.fixture(scope="module")
def case(tmp_path_factory: Any) -> Iterator[Case]:
    team = TeamRepo.make(tmp_path_factory.mktemp("mutations"))
    team.plan(
        team.task("A", [write("a.py", "x = 1\n"), {"do": "print", "text": "worked"}]),
        team.task("B", [write("b.py", "x = 1\n")]),
    )
    team.run()
    repository = discover(team.path, team.environ)
    objects = Objects(repository)
    with team.ledger() as ledger:
        tasks = {task.spec.id: task for task in ledger.tasks()}
        execution = ledger.view().execution(tasks["A"].execution)
        assert execution is not None

        def check(found: list[Found]) -> list[Refusal]:
            return check_attempt(ledger, tasks["A"], execution, found, NOBODY)

        assert evidence_of(execution) == tasks["A"].evidence
        yield Case(
            bundle.read(objects, tasks["A"].evidence),
            bundle.read(objects, tasks["B"].evidence),
            check,
        )


def found(files: Files) -> list[Found]:
    return [Found(path, FILE_MODE, data) for path, data in files.items()]


def with_file(name: str, data: bytes) -> Mutation:
    """One file is another, and the manifest is not."""
    return lambda case: found(case.files | {name: data})


def without(name: str) -> Mutation:
    return lambda case: found({path: data for path, data in case.files.items() if path != name})


def with_mode(name: str, mode: str) -> Mutation:
    return lambda case: [
        Found(path, mode if path == name else FILE_MODE, data) for path, data in case.files.items()
    ]


def longer(name: str) -> Mutation:
    return lambda case: found(case.files | {name: case.files[name] + b"\n"})


def shorter(name: str) -> Mutation:
    return lambda case: found(case.files | {name: case.files[name][:-1]})


def flipped(name: str) -> Mutation:
    def change(case: Case) -> list[Found]:
        data = bytearray(case.files[name])
        data[len(data) // 2] ^= 1
        return found(case.files | {name: bytes(data)})

    return change


def listed(edit: Callable[[dict[str, Any]], object]) -> Mutation:
    """The manifest is another."""

    def change(case: Case) -> list[Found]:
        content = json.loads(case.files[MANIFEST])
        edit(content)
        return found(case.files | {MANIFEST: canonical(content) + b"\n"})

    return change


def resealed(name: str, edit: Callable[[bytes], bytes | None]) -> Mutation:
    """One file is another or gone, and the manifest says so."""

    def change(case: Case) -> list[Found]:
        files = {path: data for path, data in case.files.items() if path != MANIFEST}
        made = edit(files.pop(name, b""))
        if made is not None:
            files[name] = made
        return found(with_manifest(files))

    return change


def as_json(edit: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        content = json.loads(data)
        edit(content)
        return canonical(content) + b"\n"

    return change


def reminted(
    edit: Callable[[dict[str, Any]], object] = lambda report: None,
    first: Callable[[Files], object] = lambda files: None,
) -> Mutation:
    """Everything is made again from a forged report, by somebody who knows how."""

    def change(case: Case) -> list[Found]:
        report = json.loads(case.files["report.json"])
        names = [entry["path"] for entry in report.pop("artifacts")]
        files = {name: case.files[name] for name in names}
        first(files)
        edit(report)
        files |= following(report, files)
        return found(with_manifest(sealed(files | claims(report, files), {})))

    return change


def put(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update(values)


def gate(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda report: report["gates"][-1].update(values)


def events(edit: Callable[[list[dict[str, Any]]], object]) -> Callable[[Files], object]:
    """The events are others, in a chain that holds."""

    def change(files: Files) -> None:
        told = [json.loads(line) for line in files["events.normalized.jsonl"].splitlines()]
        edit(told)
        prev, lines = GENESIS, []
        for event in told:
            lines.append(canonical({**event, "prev": prev}))
            prev = digest(lines[-1])
        files["events.normalized.jsonl"] = b"".join(line + b"\n" for line in lines)

    return change


def counted(files: dict[str, Any]) -> None:
    """The report's count of events, one short."""
    files["events"]["count"] -= 1


def payload(data: bytes) -> Callable[[bytes], bytes]:
    text = base64.b64encode(data).decode()
    return as_json(put(payload=text))


OTHER_TREE, OTHER_DIGEST = "e" * 40, "f" * 64
REPORT, STATEMENT, EVENTS = "report.json", "statement.json", "events.normalized.jsonl"
ENVELOPE = "statement.dsse.json"

pytestmark = pytest.mark.xdist_group("mutations")

MUTATIONS: list[tuple[str, Mutation, str]] = [
    # files, by somebody who leaves the manifest alone
    ("a log is gone", without("test.log"), "missing"),
    ("the report is gone", without(REPORT), "missing"),
    ("the statement is gone", without(STATEMENT), "missing"),
    ("an envelope is gone", without("vsa.dsse.json"), "missing"),
    ("the manifest is gone", without(MANIFEST), "manifest_missing"),
    ("a file more", with_file("gates/extra.log", b"green"), "extra"),
    ("a file more beside the backend's logs", with_file("raw/extra.log", b""), "extra"),
    ("the patch is a link", with_mode("patch.diff", "120000"), "symlink"),
    ("the manifest is a link", with_mode(MANIFEST, "120000"), "symlink"),
    ("the log may be run", with_mode("test.log", "100755"), "mode"),
    ("the log is a repository", with_mode("test.log", "160000"), "mode"),
    ("the patch is larger than stated", longer("patch.diff"), "larger"),
    ("the backend's log is larger than stated", longer("raw/stderr.log"), "larger"),
    ("the trace is smaller than stated", shorter("trace.jsonl"), "smaller"),
    ("a byte of the patch", flipped("patch.diff"), "digest"),
    ("a byte of the events", flipped(EVENTS), "digest"),
    ("a byte of the report", flipped(REPORT), "digest"),
    ("a byte of the page", flipped("report.md"), "digest"),
    ("a byte of an envelope", flipped(ENVELOPE), "digest"),
    # the manifest
    ("the manifest is no JSON", with_file(MANIFEST, b"{"), "manifest_malformed"),
    ("the manifest is a list", with_file(MANIFEST, b"[]"), "manifest_malformed"),
    ("the manifest is of a later version", listed(put(v=2)), "manifest_version"),
    ("the manifest says true for 1", listed(put(v=True)), "manifest_version"),
    ("the manifest is in another order", listed(lambda m: m["files"].reverse()), "manifest_order"),
    (
        "the manifest names a file twice",
        listed(lambda m: m["files"].append(m["files"][-1])),
        "manifest_duplicate",
    ),
    ("the root is another", listed(put(root=OTHER_DIGEST)), "manifest_root"),
    ("the root is gone", listed(lambda m: m.pop("root")), "manifest_root"),
    ("the manifest has a word more", listed(put(note="trust me")), "manifest_malformed"),
    ("a line has a word more", listed(lambda m: m["files"][0].update(x=1)), "manifest_malformed"),
    ("a size is another", listed(lambda m: m["files"][0].update(size=1 << 40)), "smaller"),
    ("a digest is another", listed(lambda m: m["files"][0].update(sha256="0" * 64)), "digest"),
    (
        "a media type is another",
        listed(lambda m: m["files"][0].update(media_type="x")),
        "media_type",
    ),
    ("a line is gone", listed(lambda m: m["files"].pop(0)), "extra"),
    # files, by somebody who seals again
    ("no report at all", resealed(REPORT, lambda _: None), "artifact_missing"),
    ("no patch at all", resealed("patch.diff", lambda _: None), "artifact_missing"),
    (
        "no log of the backend at all",
        resealed("raw/stdout.log", lambda _: None),
        "artifact_missing",
    ),
    ("no envelope at all", resealed(ENVELOPE, lambda _: None), "artifact_missing"),
    ("another patch", resealed("patch.diff", lambda _: b""), "report_artifacts"),
    ("another log of the backend", resealed("raw/stdout.log", lambda _: b"x"), "report_artifacts"),
    ("a file of no gate", resealed("gates/x.log", lambda _: b"x"), "report_artifacts"),
    ("the report is no JSON", resealed(REPORT, lambda _: b"{"), "report_malformed"),
    ("the report is of a later version", resealed(REPORT, as_json(put(v=2))), "report_version"),
    ("the report is indented", resealed(REPORT, lambda d: d + b" "), "report_malformed"),
    (
        "the report lacks its gates",
        resealed(REPORT, as_json(lambda r: r.pop("gates"))),
        "report_malformed",
    ),
    ("another page for a person", resealed("report.md", lambda d: d + b"x"), "report_markdown"),
    (
        "the statement is about another tree",
        resealed(
            STATEMENT,
            as_json(lambda s: s["subject"][0]["digest"].update(gitTree=OTHER_TREE)),
        ),
        "statement_subject",
    ),
    (
        "the statement has another result",
        resealed(STATEMENT, as_json(lambda s: s["predicate"].update(result="WARNED"))),
        "statement_predicate",
    ),
    (
        "the statement has another predicate",
        resealed(STATEMENT, as_json(put(predicateType="https://example.com/x"))),
        "statement_predicate",
    ),
    (
        "the summary says it was another policy",
        resealed("vsa.json", as_json(lambda s: s["predicate"]["policy"].update(uri="x"))),
        "vsa",
    ),
    (
        "the completion has another nonce",
        resealed("completion.json", as_json(lambda s: s["predicate"].update(nonce="x"))),
        "completion",
    ),
    ("an envelope is none", resealed(ENVELOPE, lambda _: b"{}"), "dsse_malformed"),
    ("an envelope of another type", resealed(ENVELOPE, as_json(put(payloadType="x"))), "dsse_type"),
    ("an envelope of another statement", resealed(ENVELOPE, payload(b"{}")), "dsse_payload"),
    (
        "a signature that nobody asked for",
        resealed(ENVELOPE, as_json(put(signatures=[{"keyid": "", "sig": ""}]))),
        "signature_unexpected",
    ),
    # everything made again, by somebody who knows how
    ("another task's evidence", lambda case: found(case.other), "task"),
    ("the report of another task", reminted(put(task="B")), "report_task"),
    ("the report of another team", reminted(put(team="other")), "team"),
    ("the report of another attempt", reminted(put(attempt=2)), "report_attempt"),
    ("the report of another execution", reminted(put(execution="x9")), "events_foreign"),
    ("the report of another epoch", reminted(put(epoch=7)), "report_epoch"),
    ("the report of another base", reminted(put(base=OTHER_TREE)), "report_base"),
    ("another nonce", reminted(put(nonce="01kagj5r980000000000000nce")), "nonce"),
    ("no nonce", reminted(put(nonce="")), "nonce"),
    ("another tree", reminted(put(tree=OTHER_TREE)), "gate_tree"),
    (
        "another tree, and gates that judged it",
        reminted(
            lambda r: (
                r.update(tree=OTHER_TREE),
                [g.update(tree=OTHER_TREE) for g in r["gates"]],
            )
        ),
        "tree",
    ),
    ("another change", reminted(put(change=OTHER_DIGEST)), "gate_change"),
    (
        "another change, and gates that judged it",
        reminted(
            lambda r: (
                r.update(change=OTHER_DIGEST),
                [g.update(change=OTHER_DIGEST) for g in r["gates"] if g["change"]],
            )
        ),
        "change",
    ),
    ("another commit", reminted(put(commit_tree=OTHER_TREE)), "commit_tree"),
    ("on something else", reminted(put(onto=OTHER_TREE)), "onto"),
    ("other work", reminted(put(work=OTHER_TREE)), "report_work"),
    ("another policy", reminted(put(policy=OTHER_DIGEST)), "policy"),
    ("another gate's definition", reminted(gate(definition=OTHER_DIGEST)), "gate_definition"),
    ("a gate less", reminted(lambda r: r["gates"].pop()), "status"),
    (
        "a gate less, and not required",
        reminted(lambda r: (r["gates"].pop(), r["required"].pop())),
        "gate_missing",
    ),
    ("a gate twice", reminted(lambda r: r["gates"].append(r["gates"][0])), "gate_duplicate"),
    ("a red gate", reminted(gate(status="fail")), "status"),
    ("a gate that did not run", reminted(gate(status="not_run", reason="no_tests")), "status"),
    (
        "a red gate, honestly",
        reminted(lambda r: (gate(status="fail")(r), r.update(status="fail", blockers=["x"]))),
        "status",
    ),
    ("blocked, and passed", reminted(put(blockers=["tests:failed"])), "status"),
    ("a status that is none", resealed(REPORT, as_json(put(status="done"))), "status"),
    ("no gates are needed", reminted(put(required=[])), "status"),
    ("older than its worker", reminted(put(produced_ms=1)), "stale_produced"),
    (
        "older than its worker, which ended earlier",
        reminted(put(produced_ms=2, ended_ms=1)),
        "stale_produced",
    ),
    (
        "signed, it says",
        reminted(put(signed=True)),
        "unsigned",
    ),
    ("an event less", reminted(counted, events(lambda e: e.pop(1))), "event_missing"),
    ("an event less, uncounted", reminted(first=events(lambda e: e.pop(1))), "event_missing"),
    ("no lease", reminted(first=events(lambda e: e.pop(0) and e.pop(0))), "event_missing"),
    (
        "an event's actor is another",
        reminted(first=events(lambda e: e[1].update(actor="eve"))),
        "events_differ",
    ),
    (
        "an event of another attempt",
        reminted(first=events(lambda e: e[1].update(subject="x9"))),
        "events_foreign",
    ),
    (
        "an event of another kind",
        reminted(first=events(lambda e: e[1].update(type="x"))),
        "events_foreign",
    ),
    ("an event out of order", reminted(first=events(lambda e: e[2].update(seq=1))), "events_order"),
    (
        "the events end before the work",
        reminted(
            lambda r: r["events"].update(last=r["events"]["first"], count=1),
            events(lambda e: e.__delitem__(slice(1, None))),
        ),
        "stale_events",
    ),
    (
        "events without the harvest",
        reminted(
            lambda r: r["events"].update(count=r["events"]["count"] - 1),
            events(lambda e: e.remove(next(x for x in e if x["type"] == "work.harvested"))),
        ),
        "stale_events",
    ),
    (
        "the chain of events is broken",
        reminted(
            first=lambda f: f.update({EVENTS: f[EVENTS].replace(b'"prev":"0', b'"prev":"1', 1)})
        ),
        "events_chain",
    ),
    (
        "an event is no JSON",
        reminted(first=lambda f: f.update({EVENTS: b"x\n"})),
        "events_malformed",
    ),
    (
        "events with spaces",
        reminted(first=lambda f: f.update({EVENTS: f[EVENTS] + b"\n"})),
        "events_malformed",
    ),
    ("a patch of nothing", reminted(first=lambda f: f.update({"patch.diff": b""})), "patch"),
    ("other changed files", reminted(lambda r: r["changes"][0].update(path="b.py")), "changes"),
    (
        "a file that no gate left",
        reminted(first=lambda f: f.update({"gates/x.log": b"x"})),
        "artifact_unknown",
    ),
]


def test_the_bundle_itself_is_not_refused(case: Case) -> None:
    assert case.check(found(case.files)) == []
    assert len(MUTATIONS) >= 50
    assert len({name for name, _, _ in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize(
    ("mutate", "code"), [each[1:] for each in MUTATIONS], ids=[each[0] for each in MUTATIONS]
)
def test_a_changed_bundle_is_refused_and_says_why(case: Case, mutate: Mutation, code: str) -> None:
    refused = case.check(mutate(case))
    assert code in [one.code for one in refused], refused
    assert all(one.detail for one in refused)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_single_byte_of_any_file_counts(case: Case, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(n for n, content in case.files.items() if content)))
    content = bytearray(case.files[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert case.check(found(case.files | {name: bytes(content)}))
