from __future__ import annotations

from importlib import import_module

from gitcto_markdown_plan.hooks import gitcto_register_planners


class Register(list):
    add = list.append


def test_the_planner_is_registered_with_a_target_that_exists():
    register = Register()
    gitcto_register_planners(register)

    [planner] = register
    module, name = planner.target.split(":")
    assert (planner.name, planner.suffixes) == ("markdown", (".md", ".markdown"))
    assert callable(getattr(import_module(module), name)().read)
