"""The demo's scratch project: a small package with bugs, its tests, a plan and a policy.

Each bug has a test that is known to fail, named in ``known_failures/``. ``run_tests.py`` allows
exactly those to fail, so every task can be judged alone: it mends the bug and takes the name away.
"""

from __future__ import annotations

import json

RUN_TESTS = '''\
"""Run all tests; exactly those named in known_failures/ may, and must, fail."""
import pathlib
import sys
import unittest

suite = unittest.defaultTestLoader.discover("tests", top_level_dir=".")
result = unittest.TextTestRunner(verbosity=0).run(suite)
failed = {test.id().rsplit(".", 1)[-1] for test, _ in result.failures + result.errors}
known = {path.name for path in pathlib.Path("known_failures").glob("test_*")}
for name in sorted(failed - known):
    print(f"FAILED {name}")
for name in sorted(known - failed):
    print(f"MENDED {name}, but still listed in known_failures/")
sys.exit(1 if failed != known or result.testsRun == 0 else 0)
'''

TESTS = '''\
"""What the shop must do."""
import unittest

import shop
from shop import cart, dates, money, text


class ShopTests(unittest.TestCase):
    def test_total_counts_quantities(self):
        self.assertEqual(cart.total([(250, 2), (100, 3)]), 800)

    def test_total_of_nothing(self):
        self.assertEqual(cart.total([]), 0)

    def test_slug(self):
        self.assertEqual(text.slug("  Big  Red Mug "), "big-red-mug")

    def test_leap_years(self):
        years = [y for y in (1900, 2000, 2023, 2024) if dates.is_leap(y)]
        self.assertEqual(years, [2000, 2024])

    def test_money(self):
        self.assertEqual([money.show(v) for v in (5, 1234, -50)], ["0.05", "12.34", "-0.50"])

    def test_exports_cart(self):
        self.assertIn("cart", shop.__all__)

    def test_exports_text(self):
        self.assertIn("text", shop.__all__)

    def test_receipt(self):
        from shop import receipt

        self.assertEqual(receipt.render([("Mug", 250, 2)]), "mug 5.00")
'''

FILES = {
    "README.md": "# shop\n\nA small package with bugs, for a demonstration of git-cto.\n",
    "run_tests.py": RUN_TESTS,
    "shop/__init__.py": '"""A shop."""\n\n__all__ = ["money"]\n',
    "shop/cart.py": "def total(lines):\n    return sum(price for price, _ in lines)\n",
    "shop/text.py": 'def slug(title):\n    return title.lower().replace(" ", "-")\n',
    "shop/dates.py": "def is_leap(year):\n    return year % 4 == 0\n",
    "shop/money.py": "def show(cents):\n    raise NotImplementedError\n",
    "tests/__init__.py": "",
    "tests/test_shop.py": TESTS,
    **{
        f"known_failures/{name}": ""
        for name in (
            "test_total_counts_quantities",
            "test_slug",
            "test_leap_years",
            "test_money",
            "test_exports_cart",
            "test_exports_text",
            "test_receipt",
        )
    },
}
"""The scratch project's files by path."""

_MONEY = """\
def show(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
"""
_RECEIPT = """\
from shop import cart, money, text


def render(lines):
    names = " ".join(text.slug(name) for name, _, _ in lines)
    return f"{names} {money.show(cart.total([line[1:] for line in lines]))}"
"""


def _replace(path: str, old: str, new: str) -> dict[str, str]:
    return {"do": "replace", "path": path, "old": old, "new": new}


def _mended(name: str) -> dict[str, str]:
    return {"do": "delete", "path": f"known_failures/{name}"}


def _says(text: str) -> dict[str, str]:
    return {"do": "print", "text": text}


def _exports(name: str) -> dict[str, str]:
    return {"do": "append", "path": "shop/__init__.py", "text": f'__all__ += ["{name}"]\n'}


SCRIPTS: dict[str, list[list[dict[str, str]]]] = {
    "CART": [
        [
            _replace("shop/cart.py", "sum(price for", "sum(price * count for"),
            _replace("shop/cart.py", "price, _ in", "price, count in"),
            _mended("test_total_counts_quantities"),
        ]
    ],
    "TEXT": [
        [
            _replace(
                "shop/text.py", 'title.lower().replace(" ", "-")', '"-".join(title.lower().split())'
            ),
            _mended("test_slug"),
        ]
    ],
    "DATES": [
        [
            _replace("shop/dates.py", "year % 4 == 0", "year % 4 == 0 and year % 100 != 0"),
            _mended("test_leap_years"),
        ],
        [
            _replace(
                "shop/dates.py",
                "year % 4 == 0",
                "year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)",
            ),
            _mended("test_leap_years"),
        ],
    ],
    "MONEY": [
        [_says("Done! All tests pass, 100 % coverage.")],
        [{"do": "write", "path": "shop/money.py", "text": _MONEY}, _mended("test_money")],
    ],
    "EXPORT-CART": [[_exports("cart"), _mended("test_exports_cart")]],
    "EXPORT-TEXT": [[_exports("text"), _mended("test_exports_text")]],
    "RECEIPT": [
        [{"do": "write", "path": "shop/receipt.py", "text": _RECEIPT}, _mended("test_receipt")]
    ],
}
"""What each worker does, attempt by attempt."""

_PLAN = (
    ("CART", "Count quantities in the total", (), "works at once"),
    ("TEXT", "Make slugs from any spacing", (), "works at once, beside CART and DATES"),
    ("DATES", "Know the leap years", (), "its first attempt fails the tests"),
    ("MONEY", "Show amounts of money", ("CART",), "its first attempt only claims to have worked"),
    ("EXPORT-CART", "Export the cart", ("TEXT",), "edits the place that EXPORT-TEXT edits"),
    ("EXPORT-TEXT", "Export the text functions", ("TEXT",), "conflicts, and is tried again"),
    ("RECEIPT", "Print a receipt", ("MONEY", "EXPORT-CART", "EXPORT-TEXT"), "needs the others"),
)


def plan() -> str:
    """Return the demo's plan as a TOML plan file."""
    parts = []
    for task_id, title, needs, prompt in _PLAN:
        parts.append(
            "[[task]]\n"
            f"id = {json.dumps(task_id)}\n"
            f"title = {json.dumps(title)}\n"
            f"prompt = {json.dumps(f'In this demo the worker {prompt}.')}\n"
            f"depends_on = {json.dumps(needs)}\n"
            f"inputs = {{ script = {json.dumps(json.dumps(SCRIPTS[task_id]))} }}\n"
        )
    return "\n".join(parts)


def policy(python: str) -> str:
    """Return the demo's policy; ``python`` runs the tests."""
    return f"""\
version = 1

[concurrency]
max_workers = 3

[roles.developer]
provider = "scripted"

[providers.scripted]
plugin = "fake"

[sandbox]
use = ["strict", "landlock", "seatbelt", "detect"]

[gates.nonempty]

[gates.paths]

[gates.commit-format]

[gates.tests]
argv = [{json.dumps(python)}, "run_tests.py"]
deadline_s = 60

[tiers.P1]
gates = ["nonempty", "paths", "commit-format", "tests"]
"""
