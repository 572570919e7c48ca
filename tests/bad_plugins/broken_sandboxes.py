"""One broken sandbox per promise; the docstring names the contract tests that must fail."""

from __future__ import annotations

import pytest

from gitcto.api import Confined, Probe
from gitcto.runtime.host import probe_program
from gitcto.testing import SandboxContract


class GoodSandbox:
    def available(self, host_env):
        del host_env
        return Probe(available=True)

    def confine(self, request):
        return Confined(argv=request.argv, env=request.env)


class Sandbox(SandboxContract):
    Subject = GoodSandbox
    level = "none"

    @pytest.fixture
    def sandbox(self):
        return self.Subject()


def under(script, request):
    return Confined(argv=("sh", "-c", script, "sh", *request.argv), env=request.env)


class TestKeepsEveryPromise(Sandbox):
    ""


class TestStartsNothing(Sandbox):
    """
    test_a_harmless_worker_works test_argv_and_environment_are_as_given
    test_the_exit_code_is_the_workers test_a_missing_program_is_told_apart
    test_what_its_level_must_stop_is_stopped test_the_proxy_is_the_way_out
    test_an_interrupt_reaches_the_worker test_nothing_is_left_after_a_kill
    """

    level = "strict"

    class Subject(GoodSandbox):
        def confine(self, request):
            return Confined(argv=("true",), env=request.env)


class TestStartsNobodyWhoAttacks(Sandbox):
    "test_what_its_level_must_stop_is_stopped"

    class Subject(GoodSandbox):
        def confine(self, request):
            attacks = probe_program.__file__ in request.argv
            return Confined(argv=("true",) if attacks else request.argv, env=request.env)


class TestConfinesNothing(Sandbox):
    """
    test_fixed_paths_stay test_what_its_level_must_stop_is_stopped
    test_the_proxy_is_the_way_out
    """

    level = "strict"


class TestSplitsWords(Sandbox):
    "test_argv_and_environment_are_as_given"

    class Subject(GoodSandbox):
        def confine(self, request):
            odd = any("\n" in word for word in request.argv[4:])
            return under("exec $@" if odd else 'exec "$@"', request)


class TestHandsOnMore(Sandbox):
    "test_argv_and_environment_are_as_given"

    class Subject(GoodSandbox):
        def confine(self, request):
            return Confined(argv=request.argv, env={**request.env, "SANDBOX": "1"})


class TestSwallowsTheEnd(Sandbox):
    """
    test_the_exit_code_is_the_workers test_a_missing_program_is_told_apart
    test_an_interrupt_reaches_the_worker test_argv_and_environment_are_as_given
    """

    class Subject(GoodSandbox):
        def confine(self, request):
            return under('"$@"; exit 0', request)


class TestAnswersDifferently(Sandbox):
    "test_confining_is_data"

    class Subject(GoodSandbox):
        count = 0

        def confine(self, request):
            self.count += 1
            return Confined(argv=("nice", f"-n{self.count % 2}", *request.argv), env=request.env)


class TestSaysNoWithoutReason(Sandbox):
    "test_it_says_whether_it_can_work"

    class Subject(GoodSandbox):
        def available(self, host_env):
            return Probe(available="nonexistent" not in host_env["PATH"])
