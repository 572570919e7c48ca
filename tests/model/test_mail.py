"""What may become of a message, and that nothing is lost in any order of events."""

from __future__ import annotations

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gitcto.model import commands as cmd
from gitcto.model import events as ev
from gitcto.model import mail_commands as mail_cmd
from gitcto.model import mail_events as mail_ev
from gitcto.model.codec import GENESIS, Event, decode, digest, encode, seal
from gitcto.model.decide import decide
from gitcto.model.evolve import evolve
from gitcto.model.mail_events import in_ranges, numbers_in
from gitcto.model.mail_records import UNDER_WAY, MailState
from gitcto.model.mail_rules import mail_for, order_of, waiting_for
from gitcto.model.records import Decision, TaskSpec, TaskState
from gitcto.model.state import State, fold
from gitcto.testing.invariants.mail import ACTED, Mail
from gitcto.testing.invariants.mail import UNDER_WAY as OPEN

ALLOW = Decision(
    action="x",
    resource="y",
    subject="z",
    rule="r",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)


class Team:
    """A ledger in memory, with two tasks."""

    def __init__(self) -> None:
        self.state = State()
        self.events: list[Event] = []
        self.prev = GENESIS
        self.now_ms = 1_000
        specs = tuple(TaskSpec(id=name, title=name) for name in ("A", "B"))
        self.do(cmd.CreateTeam(team="demo", target="refs/heads/x"))
        self.do(cmd.ImportPlan(source="x", digest="y", tasks=specs))

    def ask(self, command: cmd.Command) -> tuple[ev.EventBody, ...] | cmd.Refusal:
        answer = decide(self.state, command, self.now_ms)
        if isinstance(answer, cmd.Refusal):
            return answer
        ids = iter(range(len(self.events), len(self.events) + len(answer)))
        sealed = seal(
            answer,
            prev=self.prev,
            actor="t",
            now_ms=self.now_ms,
            new_id=lambda: f"{next(ids):026d}",
        )
        for event, line in sealed:
            self.prev = digest(line)
            self.events.append(decode(line))
            self.state.put(evolve(self.state, event, len(self.events)))
        return answer

    def do(self, command: cmd.Command) -> tuple[ev.EventBody, ...]:
        answer = self.ask(command)
        assert not isinstance(answer, cmd.Refusal), answer
        return answer

    def refused(self, command: cmd.Command) -> str:
        answer = self.ask(command)
        assert isinstance(answer, cmd.Refusal), answer
        return answer.code

    def send(self, to: str = "task:A", key: str = "", **fields: object) -> int:
        key = key or f"k{self.state.last_mail() + 1}"
        usual = {"sender": "person:ada", "recipient": to, "subject": "s"}
        self.do(mail_cmd.SendMail(key=key, **(usual | fields)))  # type: ignore[arg-type]
        return self.state.last_mail()

    def work(self, task: str = "A") -> str:
        """Lease a task and start its worker; return the execution."""
        execution = f"{task}{self.state.tasks[task].attempts + 1}"
        self.do(
            cmd.Lease(
                task=task,
                execution=execution,
                base="b",
                provider="p",
                role="r",
                workspace="clone",
                holder="h",
                expires_ms=9_999_999,
                max_workers=6,
                decision=ALLOW,
            )
        )
        start = cmd.RecordStart(
            execution=execution, epoch=self.epoch(execution), pid=1, process_start="1", isolation=""
        )
        self.do(start)
        return execution

    def fail(self, execution: str) -> None:
        self.do(
            cmd.FailExecution(
                execution=execution,
                epoch=self.epoch(execution),
                reason="x",
                detail="",
                charged=False,
                max_attempts=9,
            )
        )

    def epoch(self, execution: str) -> int:
        return self.state.executions[execution].epoch

    def deliver(self, execution: str, *mails: int) -> mail_cmd.DeliverMail:
        epoch = self.epoch(execution)
        return mail_cmd.DeliverMail(execution=execution, epoch=epoch, mails=mails, way="send")

    def act(self, execution: str, *mails: int) -> mail_cmd.ActOnMail:
        return mail_cmd.ActOnMail(execution=execution, epoch=self.epoch(execution), mails=mails)

    def show(self, execution: str, *mails: int) -> mail_cmd.ShowMail:
        return mail_cmd.ShowMail(execution=execution, epoch=self.epoch(execution), mails=mails)

    def states(self) -> dict[int, str]:
        known = (self.state.mail(number) for number in range(1, self.state.last_mail() + 1))
        return {mail.number: mail.state.value for mail in known if mail is not None}


@pytest.fixture
def team() -> Team:
    return Team()


def test_the_same_key_on_the_same_route_is_the_same_message(team: Team) -> None:
    first = team.send(key="k", subject="one")
    assert team.send(key="k", subject="another") == first
    mail = team.state.mail(first)
    assert mail is not None
    assert mail.subject == "one"
    assert team.send(to="task:B", key="k") == 2
    assert team.send(sender="person:bob", key="k") == 3


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"recipient": "task:nobody"}, "no_task"),
        ({"recipient": "everybody"}, "bad_mail"),
        ({"recipient": "person: x"}, "bad_mail"),
        ({"recipient": "person:a\nb"}, "bad_mail"),
        ({"sender": "task:A"}, "bad_mail"),
        ({"subject": " "}, "bad_mail"),
        ({"subject": "two\nlines"}, "bad_mail"),
        ({"subject": "x" * 201}, "bad_mail"),
        ({"body": "ä" * 8193}, "bad_mail"),
        ({"body": "\0"}, "bad_mail"),
        ({"key": ""}, "bad_mail"),
        ({"artifacts": {"a/b": "1" * 40}}, "bad_mail"),
        ({"artifacts": {"a": "HEAD"}}, "bad_mail"),
        ({"reply_to": 9}, "no_mail"),
        ({"urgency": "stop"}, "no_worker"),
        ({"urgency": "stop", "recipient": "lead"}, "no_worker"),
    ],
)
def test_what_cannot_be_sent_is_refused(team: Team, fields: dict[str, str], code: str) -> None:
    usual = {"sender": "person:ada", "recipient": "task:A", "key": "k", "subject": "s"}
    command = mail_cmd.SendMail(**(usual | fields))  # type: ignore[arg-type]
    assert team.refused(command) == code
    assert team.state.last_mail() == 0


def test_a_message_made_from_json_is_written_as_it_is_read(team: Team) -> None:
    """The chain of digests is checked by writing events again."""
    fields = json.loads('{"urgency": "normal", "body": "", "reply_to": 0, "key": "k"}')
    team.send(**fields)
    sent = team.events[-1]
    assert digest(encode(sent)) == team.prev


def test_a_body_may_be_as_long_as_the_limit(team: Team) -> None:
    assert team.send(body="ä" * 8192) == 1


def test_of_a_sender_that_floods_no_more_is_taken(team: Team) -> None:
    for _ in range(3):
        team.send(to="lead", sender="task:A", most=3)
    more = mail_cmd.SendMail(sender="task:A", recipient="task:B", key="x", subject="s", most=3)
    assert team.refused(more) == "flood"
    assert team.send(to="lead", sender="task:B", most=3) == 4
    assert team.send(to="lead", sender="task:A", key="k1", most=3) == 4, "an old one is no flood"


def test_a_message_goes_after_those_before_it_on_its_route(team: Team) -> None:
    one, other, two = team.send(), team.send(sender="person:bob"), team.send()
    x = team.work()
    assert team.refused(team.deliver(x, two)) == "out_of_order"
    [delivered] = team.do(team.deliver(x, other))
    assert isinstance(delivered, mail_ev.MailDelivered)
    team.do(mail_cmd.BuryMail(mails=(one,), reason="r"))
    team.do(team.deliver(x, two))
    assert team.states() == {one: "dead", other: "delivered", two: "delivered"}
    assert team.do(team.deliver(x, two)) == ()


def test_the_next_attempt_gets_what_nobody_acted_on_and_is_told_the_rest(team: Team) -> None:
    one, two, three = team.send(), team.send(), team.send()
    first = team.work()
    team.do(team.deliver(first, one, two))
    team.do(team.act(first, one))
    team.fail(first)
    assert [mail.number for mail in waiting_for(team.state, "A")] == [two, three]
    told = mail_for(team.state, team.state.tasks["A"])
    assert [(mail.number, mail.state) for mail in told] == [
        (one, MailState.ACTED),
        (two, MailState.DELIVERED),
        (three, MailState.QUEUED),
    ]
    second = team.work()
    assert team.refused(team.deliver(second, three)) == "out_of_order"
    team.do(team.deliver(second, two, three))
    team.fail(second)
    again = mail_for(team.state, team.state.tasks["A"])
    assert [mail.number for mail in again] == [two, three], "the first is in its context already"


def test_a_late_worker_acknowledges_nothing(team: Team) -> None:
    mail = team.send()
    first = team.work()
    team.do(team.deliver(first, mail))
    team.fail(first)
    second = team.work()
    for late in (team.act(first, mail), team.show(first, mail), team.deliver(first, mail)):
        [refused] = team.do(late)
        assert isinstance(refused, ev.OutcomeRefused)
    assert team.do(team.act(second, mail)) == (), "it was never given it"
    assert team.states() == {mail: "delivered"}


def test_an_acknowledgement_twice_is_one(team: Team) -> None:
    mail = team.send(to="lead")
    assert team.states() == {mail: "delivered"}
    ack = mail_cmd.AckMail(mails=(mail,), by="person:ada", note="done")
    assert len(team.do(ack)) == 1
    assert team.do(ack) == ()
    assert team.refused(mail_cmd.AckMail(mails=(99,), by="x")) == "no_mail"
    assert team.refused(mail_cmd.AckMail(mails=(team.send(),), by="x")) == "not_yours"


def test_sets_and_ranges_are_acknowledged_in_one_event(team: Team) -> None:
    mails = [team.send(to="lead") for _ in range(6)]
    [acted] = team.do(mail_cmd.AckMail(mails=(1, 2, 3, 5, 3), by="x"))
    assert isinstance(acted, mail_ev.MailActed)
    assert acted.mails == ((1, 3), (5, 5))
    left = [mail for mail in mails if team.states()[mail] == "delivered"]
    assert left == [4, 6]


def test_a_dead_message_is_requeued_and_a_living_one_is_not(team: Team) -> None:
    mail = team.send()
    assert team.refused(mail_cmd.RequeueMail(mails=(mail,))) == "not_dead"
    team.do(mail_cmd.BuryMail(mails=(mail,), reason="r"))
    assert team.refused(mail_cmd.AckMail(mails=(mail,), by="x")) == "mail_dead"
    team.do(mail_cmd.RequeueMail(mails=(mail,)))
    assert team.states() == {mail: "queued"}


def test_what_cannot_be_handed_over_waits_and_dies_in_the_end(team: Team) -> None:
    one, two = team.send(), team.send()
    x = team.work()
    for tries in (1, 2):
        defer = mail_cmd.DeferMail(
            execution=x,
            epoch=team.epoch(x),
            mail=one,
            reason="no pipe",
            until_ms=5_000,
            max_tries=2,
        )
        events = team.do(defer)
        assert len(events) == tries
        waiting = waiting_for(team.state, "A")
        expected = [] if tries == 1 else [two]
        assert [mail.number for mail in order_of(waiting, x, 4_000)] == expected
    dead = team.state.mail(one)
    assert dead is not None
    assert (dead.state, dead.reason) == (MailState.DEAD, "too many tries: no pipe")


def test_an_urgent_message_keeps_its_attempt_from_being_harvested(team: Team) -> None:
    x = team.work()
    gone = team.send(urgency="stop")
    team.do(mail_cmd.BuryMail(mails=(gone,), reason="r"))
    assert team.refused(mail_cmd.RequeueMail(mails=(gone,))) == "no_worker"
    stop = team.send(urgency="stop")
    ack = mail_cmd.AckMail(mails=(stop,), by="git-cto")
    assert team.refused(ack) == "not_yours", "it works still"
    ended = cmd.RecordExit(execution=x, epoch=team.epoch(x), code=0, cause="exited")
    taken = cmd.RecordHarvest(execution=x, epoch=team.epoch(x), commit="c", tree="t", changed=1)
    assert team.refused(cmd.Together((ended, taken))) == "interrupted"
    team.fail(x)
    team.do(ack)
    later = team.work()
    team.do(
        cmd.Together(
            (
                cmd.RecordExit(execution=later, epoch=2, code=0, cause="exited"),
                cmd.RecordHarvest(execution=later, epoch=2, commit="c", tree="t", changed=1),
            )
        )
    )
    late = mail_cmd.SendMail(
        sender="person:ada", recipient="task:A", key="z", subject="s", urgency="stop"
    )
    assert team.refused(late) == "no_worker", "its work is being judged"


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [((), ()), ((5,), ((5, 5),)), ((3, 1, 2, 2, 9), ((1, 3), (9, 9)))],
)
def test_ranges(numbers: tuple[int, ...], ranges: tuple[tuple[int, int], ...]) -> None:
    assert in_ranges(numbers) == ranges
    assert numbers_in(ranges) == tuple(sorted(set(numbers)))


some = st.lists(st.integers(1, 12), max_size=4).map(tuple)
route = st.tuples(
    st.sampled_from(["person:ada", "task:A", "task:B", "lead"]),
    st.sampled_from(["task:A", "task:B", "lead"]),
)


urgencies = st.sampled_from(["normal", "interrupt", "stop"])


class AnyOrder(RuleBasedStateMachine):
    """Commands as a madman gives them; the events must add up all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.team = Team()

    @initialize()
    def begin(self) -> None:
        self.team.work("A")

    def executions(self) -> list[str]:
        return list(self.team.state.executions)

    @rule(
        route=route, key=st.integers(0, 9), urgency=st.sampled_from(["normal", "interrupt", "stop"])
    )
    def send(self, route: tuple[str, str], key: int, urgency: str) -> None:
        self.team.ask(
            mail_cmd.SendMail(
                sender=route[0],
                recipient=route[1],
                key=str(key),
                subject="s",
                urgency=urgency,  # type: ignore[arg-type]
            )
        )

    @rule(task=st.sampled_from(["A", "B"]))
    def work(self, task: str) -> None:
        if self.team.state.tasks[task].state is TaskState.QUEUED:
            self.team.work(task)

    @rule(number=st.integers(0, 9))
    def fail(self, number: int) -> None:
        known = self.executions()
        x = known[number % len(known)]
        if self.team.state.executions[x].state is TaskState.EXECUTING:
            self.team.fail(x)

    @rule(number=st.integers(0, 9), mails=some, what=st.sampled_from(["deliver", "show", "act"]))
    def outcome(self, number: int, mails: tuple[int, ...], what: str) -> None:
        known = self.executions()
        command: cmd.Command = getattr(self.team, what)(known[number % len(known)], *mails)
        self.team.ask(command)

    @rule(mails=some, what=st.sampled_from([mail_cmd.AckMail, mail_cmd.BuryMail]))
    def end(self, mails: tuple[int, ...], what: type) -> None:
        more = {"by": "x"} if what is mail_cmd.AckMail else {"reason": "r"}
        self.team.ask(what(mails=mails, **more))

    @rule(mails=some)
    def requeue(self, mails: tuple[int, ...]) -> None:
        self.team.ask(mail_cmd.RequeueMail(mails=mails))

    @rule(number=st.integers(0, 9), mail=st.integers(1, 12), most=st.integers(1, 3))
    def defer(self, number: int, mail: int, most: int) -> None:
        known = self.executions()
        x = known[number % len(known)]
        epoch = self.team.epoch(x)
        self.team.ask(
            mail_cmd.DeferMail(
                execution=x, epoch=epoch, mail=mail, reason="r", until_ms=2_000, max_tries=most
            )
        )

    @invariant()
    def it_adds_up(self) -> None:
        mail = Mail()
        assert [found for event in self.team.events for found in mail.see(event)] == []
        by_state = self.team.states()
        assert mail.those(OPEN) == {n for n, state in by_state.items() if state in UNDER_WAY}
        assert mail.those(ACTED) == {n for n, state in by_state.items() if state == "acted"}
        assert set(self.team.state.open_mail) == mail.those(OPEN)

    def teardown(self) -> None:
        again = fold(self.team.events)
        assert list(again.records()) == list(self.team.state.records())


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def problems(team: Team, *bodies: ev.EventBody) -> list[str]:
    """Return what is wrong with a team's events and some forged ones behind them."""
    forged = [Event(id="", ts=0, actor="", prev="", v=1, body=body) for body in bodies]
    mail = Mail()
    return [text for event in (*team.events, *forged) for _, text in mail.see(event)]


def test_a_ledger_that_does_not_add_up_is_noticed(team: Team) -> None:
    """The count can fail: each of these is wrong in its own way."""
    one, two = team.send(), team.send()
    x = team.work()
    team.do(team.deliver(x, one))
    first, second = ((one, one),), ((two, two),)
    route = {"sender": "person:ada", "recipient": "task:A", "subject": "s"}
    cases: list[tuple[ev.EventBody, ...]] = [
        (mail_ev.MailSent(mail=3, key="k1", **route),),
        (mail_ev.MailSent(mail=7, key="new", **route),),
        (mail_ev.MailActed(mails=first, by="x"), mail_ev.MailDied(mails=first, reason="r")),
        (mail_ev.MailActed(mails=((9, 9),), by="x"),),
        (mail_ev.MailActed(mails=second, by="task:A", execution=x),),
        (mail_ev.MailDelivered(execution=x, epoch=9, mails=second, way="send"),),
        (mail_ev.MailDelivered(execution="B1", epoch=1, mails=second, way="send"),),
        (mail_ev.MailShown(execution=x, epoch=1, mails=second),),
        (mail_ev.MailRequeued(mails=first),),
        (
            mail_ev.MailSent(mail=3, key="stop", urgency="stop", ends=x, **route),
            ev.WorkHarvested(execution=x, epoch=1, commit="c", tree="t", changed=1),
        ),
    ]
    assert problems(team) == []
    for bodies in cases:
        assert problems(team, *bodies), bodies


def test_at_rest_nothing_waits_for_a_task_that_is_done(team: Team) -> None:
    mail = Mail()
    team.send()
    x = team.work()
    done = ev.LandingDone(
        execution=x, epoch=1, target="t", commit="c", evidence="e", found="moved", decision=ALLOW
    )
    events = [*team.events, Event(id="", ts=0, actor="", prev="", v=2, body=done)]
    assert [found for event in events for found in mail.see(event)] == []
    assert list(mail.end(quiescent=False)) == []
    assert list(mail.end(quiescent=True)) == [("S9", "mail 1 waits for A, which is done")]
