"""Freeze windows of a manifest to those of a registration, and what only a calendar can tell of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from causal_rollouts.api.problems import Problem, Unresolvable
from causal_rollouts.api.units import seconds
from causal_rollouts.api.v1alpha1_freeze import Freeze, seconds_of
from causal_rollouts.model.freeze import Recurring, Span, Window


def windows_of(listed: Iterable[Freeze], where: str) -> tuple[Window, ...]:
    """All windows of one list. where: the field that holds it.

    Raises:
        Unresolvable: a time zone, a cron line or a day that does not exist; says all.
    """
    windows: list[Window] = []
    problems: list[Problem] = []
    for i, freeze in enumerate(listed):
        try:
            windows.append(_window(freeze, f"{where}[{i}]"))
        except Unresolvable as error:
            problems += error.problems
    if problems:
        raise Unresolvable(tuple(problems))
    return tuple(windows)


def _window(freeze: Freeze, where: str) -> Window:
    if freeze.cron is None:
        start, end = (
            _instant(text or "", f"{where}.{name}")
            for name, text in (("from", freeze.since), ("to", freeze.until))
        )
        return Span(start, end)
    zone = freeze.time_zone or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _no(f"{where}.timeZone", f'"{zone}" is no time zone', "write one like Europe/Berlin") from None
    try:
        CronSim(freeze.cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        what = f'"{freeze.cron}" is no cron line ({error})'
        raise _no(f"{where}.cron", what, 'write five fields like "0 18 * * 5"') from None
    return Recurring(freeze.cron, seconds(str(freeze.duration)), zone)


def _instant(text: str, where: str) -> float:
    try:
        return seconds_of(text)
    except ValueError:
        raise _no(where, f'"{text}" is no day of the calendar', "correct it") from None


def _no(field: str, what: str, fix: str) -> Unresolvable:
    return Unresolvable((Problem(field, what, fix),))
