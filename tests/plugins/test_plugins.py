from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.model.codec import Event
from gitcto.model.events import TeamModeChanged
from gitcto.model.records import TeamMode
from gitcto.plugins import Crashed, Plugins

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.testing.site import PluginSite


def gate(name: str, target: str = "work:Gate", more: str = "") -> str:
    return f"""
from gitcto.api import Gate, hookimpl

@hookimpl
def gitcto_register_gates(register):
    register.add(Gate(name={name!r}, summary="Judge.", target={target!r}){more})
"""


def statuses(plugins: Plugins) -> dict[str, str]:
    return {row.name: row.status for row in plugins.report()}


def refusal(plugins: Plugins, **required: str) -> CtoError:
    with pytest.raises(CtoError) as caught:
        plugins.require(required)
    return caught.value


# -- loading


def test_a_plugin_that_cannot_be_imported_harms_nobody_else(site: PluginSite) -> None:
    site.add("cto-bad", bad="import nope").add("cto-good", good=gate("fine"))
    plugins = site.load()
    assert list(plugins.gates()) == ["fine"]
    assert site.warnings == [
        "plugin bad (cto-bad 1.0) failed: ModuleNotFoundError: No module named 'nope'"
    ]
    assert statuses(plugins) == {"bad": "failed", "good": "active"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise ValueError('two\\nlines \\x1b[31m')", "ValueError: two lines ?[31m"),
        ("def (", "SyntaxError: "),
        (gate("x").replace("gates", "gatez"), "unknown hook gitcto_register_gatez"),
        (gate("x").replace("(register)", "(register, nope)"), "PluginValidationError: "),
        (gate("x").replace("@hookimpl", "@hookimpl(wrapper=True)") + "    yield", "wrapper"),
    ],
)
def test_every_way_to_fail_on_loading_is_one_line(site: PluginSite, text: str, reason: str) -> None:
    plugins = site.add("cto-bad", bad=text).load()
    (warning,) = site.warnings
    assert reason in warning
    assert warning.isprintable()
    assert plugins.gates() == {}


def test_nothing_of_a_refused_plugin_stays_registered(site: PluginSite) -> None:
    text = gate("x") + "\n@hookimpl\ndef gitcto_register_nothing(register): pass\n"
    plugins = site.add("cto-bad", bad=text).load()
    assert plugins.gates() == {}
    assert statuses(plugins) == {"bad": "failed"}


def test_hooks_of_a_kind_run_only_when_it_is_asked_for(site: PluginSite) -> None:
    text = gate("x") + "\n@hookimpl\ndef gitcto_register_planners(register): 1 / 0\n"
    plugins = site.add("cto-half", half=text).load()
    assert list(plugins.gates()) == ["x"]
    assert site.warnings == []
    assert plugins.planners() == {}
    assert site.warnings == [
        (
            "plugin half (cto-half 1.0) failed: gitcto_register_planners:"
            " ZeroDivisionError: division by zero"
        )
    ]


def test_a_hook_that_raises_half_way_adds_nothing(site: PluginSite) -> None:
    plugins = site.add("cto-half", half=gate("x", more="; 1 / 0")).load()
    assert plugins.gates() == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("name='x'", "name='X y'"), "'X y' cannot name a gate"),
        (('summary="Judge."', "summary=' '"), "needs a summary of one printable line"),
        (('summary="Judge."', "summary='a\\nb'"), "needs a summary of one printable line"),
        (('summary="Judge."', "summary='a' * 101"), "is over 100 characters"),
        (("'work:Gate'", "'work.Gate'"), "is not like `package.module:attribute`"),
        (("register.add(", "register.add(1) or ("), "takes a Gate, not int"),
    ],
)
def test_a_malformed_descriptor_fails_its_plugin(
    site: PluginSite, change: tuple[str, str], reason: str
) -> None:
    text = gate("x")
    assert change[0] in text
    plugins = site.add("cto-bad", bad=text.replace(*change)).load()
    assert plugins.gates() == {}
    assert reason in site.warnings[0]


def test_without_any_plugin_everything_is_empty(site: PluginSite) -> None:
    plugins = site.load()
    assert plugins.report() == []
    plugins.require({})
    assert (plugins.commands(), plugins.gates(), plugins.merge_resolvers()) == ({}, {}, {})


# -- names


def test_a_first_party_name_stays_with_its_plugin(site: PluginSite) -> None:
    site.add("git-cto", tests=gate("tests")).add("cto-other", other=gate("tests", "evil:Gate"))
    plugins = site.load()
    assert plugins.gates()["tests"].plugin == "tests"
    assert site.warnings == [
        (
            "plugin other (cto-other 1.0) failed: gate 'tests' is also added by"
            " tests (git-cto 1.0); one of them must rename it or say replace="
        )
    ]


def test_of_two_third_parties_neither_gets_the_name(site: PluginSite) -> None:
    site.add("cto-a", a=gate("same")).add("cto-b", b=gate("same"))
    plugins = site.load()
    assert plugins.gates() == {}
    assert len(site.warnings) == 2
    assert "b (cto-b 1.0)" in site.warnings[0]
    assert "a (cto-a 1.0)" in site.warnings[1]


def test_a_plugin_may_replace_by_naming_whom(site: PluginSite) -> None:
    replacing = gate("tests", "better:Gate").replace("))\n", "), replace='tests')\n")
    site.add("git-cto", tests=gate("tests")).add("cto-other", other=replacing)
    plugins = site.load()
    assert plugins.gates()["tests"].plugin == "other"
    assert site.warnings == []


def test_replacing_what_is_not_there_is_refused(site: PluginSite) -> None:
    replacing = gate("tests").replace("))\n", "), replace='gone')\n")
    plugins = site.add("cto-other", other=replacing).load()
    assert plugins.gates() == {}
    assert "cannot replace that of plugin 'gone'" in site.warnings[0]


def test_replacing_must_name_the_present_holder(site: PluginSite) -> None:
    replacing = gate("tests", "evil:Gate").replace("))\n", "), replace='paths')\n")
    site.add("git-cto", tests=gate("tests")).add("cto-other", other=replacing)
    assert site.load().gates()["tests"].plugin == "tests"
    assert "cannot replace that of plugin 'paths'" in site.warnings[0]


def test_two_replacements_leave_the_first_in_place(site: PluginSite) -> None:
    replacing = gate("tests").replace("))\n", "), replace='tests')\n")
    site.add("git-cto", tests=gate("tests"))
    site.add("cto-a", a=replacing).add("cto-b", b=replacing)
    assert site.load().gates()["tests"].plugin == "tests"
    assert len(site.warnings) == 2


def test_two_plugins_of_one_name_are_both_named(site: PluginSite) -> None:
    site.add("git-cto", same=gate("one")).add("cto-copy", same=gate("two"))
    plugins = site.load()
    assert list(plugins.gates()) == ["one"]
    assert site.warnings == [
        (
            "plugin same (cto-copy 1.0) failed: the name is also used by same (git-cto 1.0);"
            " uninstall one"
        )
    ]
    assert refusal(site.load(), gone="").exit_code == ExitCode.PLUGIN_MISSING


def test_merge_resolvers_come_by_rank(site: PluginSite) -> None:
    text = gate("a").replace("gates", "merge_resolvers").replace("Gate(", "MergeResolver(")
    text = text.replace("import Gate", "import MergeResolver")
    site.add("cto-a", a=text.replace("'a'", "'slow', rank=9"))
    site.add("cto-b", b=text.replace("'a'", "'zfast', rank=1"))
    assert list(site.load().merge_resolvers()) == ["zfast", "slow"]


# -- required plugins


def test_a_required_plugin_that_is_missing_stops_everything(site: PluginSite) -> None:
    error = refusal(site.load(), gone="")
    assert int(error.exit_code) == 5
    assert error.message == "required plugin 'gone' is not installed"
    assert "install it" in error.hint


def test_a_required_plugin_that_failed_stops_everything(site: PluginSite) -> None:
    error = refusal(site.add("cto-bad", bad="import nope").load(), bad=">=0")
    assert error.exit_code == ExitCode.PLUGIN_MISSING
    assert "ModuleNotFoundError: No module named 'nope'" in error.message
    assert "git cto plugins check bad" in error.hint


def test_a_required_plugin_that_fails_to_register_stops_everything(site: PluginSite) -> None:
    error = refusal(site.add("cto-bad", bad=gate("X")).load(), bad="")
    assert error.exit_code == ExitCode.PLUGIN_MISSING


def test_a_required_plugin_at_another_version_stops_everything(site: PluginSite) -> None:
    plugins = site.add("cto-old", "0.9", old=gate("x")).load()
    plugins.require({"old": ">=0.5,<1"})
    error = refusal(plugins, old=">=1")
    assert error.exit_code == ExitCode.PLUGIN_MISSING
    assert error.message == "required plugin 'old' is cto-old 0.9, and policy.toml wants >=1"


def test_a_range_that_cannot_be_read_is_a_policy_error(site: PluginSite) -> None:
    error = refusal(site.add("cto-x", x=gate("x")).load(), x="one")
    assert error.exit_code == ExitCode.POLICY


def test_the_environment_switches_no_plugin_off(site: PluginSite) -> None:
    site.add("cto-must", must=gate("x"))
    program = (
        "import sys; from gitcto.plugins import Plugins;"
        "sys.path.insert(0, sys.argv[1]); p = Plugins.load([sys.argv[1]]);"
        "p.require({'must': '>=1'}); print(*p.gates())"
    )
    words = ("NO_PLUGINS", "DISABLE_PLUGINS", "DISABLED_PLUGINS", "LOAD_PLUGINS", "PLUGINS")
    hostile = {
        f"{prefix}{word}": "must" for prefix in ("GITCTO_", "CTO_", "GIT_CTO_") for word in words
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(site.path)],
        env=hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("x\n", "")


# -- targets


def test_a_target_is_imported_only_when_it_must_work(site: PluginSite) -> None:
    site.module("lazy_work", "class Gate:\n    def judge(self, context): return None\n")
    plugins = site.add("cto-x", x=gate("x", "lazy_work:Gate")).load()
    registered = plugins.gates()["x"]
    assert "lazy_work" not in sys.modules
    assert type(plugins.instantiate(registered)).__name__ == "Gate"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nope", "ModuleNotFoundError: No module named 'nope'"),
        ("", "AttributeError: module 'broken_work' has no attribute 'Gate'"),
        ("class Gate: pass", "TypeError: broken_work:Gate has no method judge()"),
        ("class Gate:\n    def __init__(self): raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_broken_target_comes_back_as_a_value(site: PluginSite, text: str, reason: str) -> None:
    site.module("broken_work", text)
    plugins = site.add("cto-x", x=gate("x", "broken_work:Gate")).load()
    outcome = plugins.instantiate(plugins.gates()["x"])
    assert isinstance(outcome, Crashed)
    assert outcome.reason == reason
    assert outcome.what == "gate 'x' of plugin 'x' (cto-x 1.0)"
    assert outcome.error().exit_code == ExitCode.INTERNAL


def test_a_commands_target_is_returned_as_it_is(site: PluginSite) -> None:
    text = gate("hello").replace("gates", "commands").replace("Gate(", "CommandPoint(")
    site.module("cmd_work", "Gate = object()\n")
    text = text.replace("import Gate", "import CommandPoint").replace("work:", "cmd_work:")
    plugins = site.add("cto-x", x=text).load()
    outcome = plugins.instantiate(plugins.commands()["hello"])
    assert outcome is sys.modules["cmd_work"].Gate


# -- the report


def test_the_report_says_where_everything_comes_from(site: PluginSite) -> None:
    site.add("git-cto", "0.1", ours=gate("tests")).add("cto-x", "2.0", x="import nope")
    ours, theirs = site.load().report()
    assert (ours.source, ours.status, ours.provides) == ("first-party", "active", ("gate tests",))
    assert (theirs.source, theirs.distribution, theirs.version) == ("third-party", "cto-x", "2.0")
    assert theirs.reason == "ModuleNotFoundError: No module named 'nope'"
    assert ours.load_ms > 0


def test_an_unknown_plugin_cannot_be_checked(site: PluginSite) -> None:
    with pytest.raises(CtoError, match="plugin 'nope' is not installed"):
        site.load().check("nope")


# -- notifications

EVENT = Event(
    id="0" * 26, ts=1, actor="ada", prev="", v=1, body=TeamModeChanged(mode=TeamMode.PAUSED)
)
LISTENER = """
from gitcto.api import hookimpl

@hookimpl
def gitcto_on_event(kind, event, context):
    with open(context.state_dir / "heard", "a") as file:
        file.write(f"{kind} {event.actor} {context.team} {context.seq}\\n")
"""


def test_listeners_are_told_and_have_a_place_of_their_own(site: PluginSite, tmp_path: Path) -> None:
    plugins = site.add("cto-ear", ear=LISTENER).load()
    plugins.notify(EVENT, team="main", seq=7, state_root=tmp_path / "state")
    assert (tmp_path / "state/ear/heard").read_text() == "team.mode_changed ada main 7\n"
    assert site.warnings == []


def test_a_listener_that_breaks_is_named_once_and_harms_nobody(
    site: PluginSite, tmp_path: Path
) -> None:
    broken = LISTENER.replace("    with open", "    raise KeyError(kind)\n    with open")
    plugins = site.add("cto-bad", bad=broken).add("cto-ear", ear=LISTENER).load()
    for seq in (1, 2):
        plugins.notify(EVENT, team="main", seq=seq, state_root=tmp_path)
    assert len((tmp_path / "ear/heard").read_text().splitlines()) == 2
    assert site.warnings == [
        "gitcto_on_event of plugin 'bad': KeyError: 'team.mode_changed'; it is told no more events"
    ]


def test_a_listener_may_ask_for_less(site: PluginSite, tmp_path: Path) -> None:
    text = LISTENER.replace("kind, event, context", "context").replace("{kind} {event.actor} ", "")
    plugins = site.add("cto-ear", ear=text).load()
    plugins.notify(EVENT, team="main", seq=7, state_root=tmp_path)
    assert (tmp_path / "ear/heard").read_text() == "main 7\n"


def test_the_installed_plugins_are_sound() -> None:
    warnings: list[str] = []
    rows = Plugins.load(warn=warnings.append).report()
    ours = [row for row in rows if row.source == "first-party"]
    assert {"command", "fake", "tests", "paths", "nonempty", "commit-format"} <= {
        row.name for row in ours
    }
    assert [row.reason for row in ours if row.status != "active"] == []
    assert cast("Any", warnings) == []
