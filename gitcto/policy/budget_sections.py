"""Reading what agents may use, and how often a provider may fail."""

from __future__ import annotations

from gitcto.policy import names
from gitcto.policy.budget_settings import Budget, Budgets, Retries
from gitcto.policy.table import Table, shown

_DAY = 24 * 3600
_MANY = 1 << 40
_MICROS = 1_000_000
_MOST_USD = 1_000_000
_EXACT = 0.01
_SCOPES = ("task", "team", "day")


def retries(table: Table) -> Retries:
    """Read how often a task may fail, and its providers."""
    read = Retries(
        max_attempts=table.whole("max_attempts", 3, range(1, 21)),
        conflict=table.whole("conflict", 3, range(4)),
        adopt_late=table.flag("adopt_late", default=True),
        backoff_s=table.whole("backoff_s", 10, range(1, 3601)),
        backoff_max_s=table.whole("backoff_max_s", 600, range(1, _DAY + 1)),
        faults_per_task=table.whole("provider_faults_per_task", 8, range(1, 101)),
        faults_per_run=table.whole("provider_faults_per_run", 50, range(1, 10_001)),
    )
    if read.backoff_max_s < read.backoff_s:
        table.report('"backoff_max_s" is less than "backoff_s"', "backoff_max_s")
    table.close()
    return read


def budgets(table: Table) -> Budgets:
    """Read what agents may use; what is not limited is not there."""
    found = {name: _budget(table.table(name)) for name in ("execution", *_SCOPES)}
    read = Budgets(**found, unknown_usage=table.text("unknown_usage", "tell", names.tell_or_refuse))
    for scope in _SCOPES:
        for unit in ("tokens", "usd", "wall_s"):
            one, all_of_it = read.execution.of(unit), read.of(scope).of(unit)
            if all_of_it and one > all_of_it:
                table.table(scope).report(
                    f'"{unit}" is less than one execution may use, so none could begin', unit
                )
    table.close()
    return read


def _budget(table: Table) -> Budget:
    read = Budget(
        tokens=table.whole("tokens", 0, range(1, _MANY)),
        usd=_dollars(table, "usd"),
        wall_s=table.whole("wall_s", 0, range(1, _MANY)),
    )
    table.close()
    return read


def _dollars(table: Table, key: str) -> int:
    """Return an amount of dollars in millionths."""
    value = table.raw(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        table.report(f'"{key}" must be an amount of US dollars, like 2.50', key)
        return 0
    if not 0 < value <= _MOST_USD:  # also what is no number
        table.report(f'"{key}" must be above 0, at most {_MOST_USD}, not {shown(value)}', key)
        return 0
    micros = round(value * _MICROS)
    if abs(value * _MICROS - micros) > _EXACT:
        table.report(f'"{key}" has more than six decimals: {shown(value)}', key)
        return 0
    return micros
