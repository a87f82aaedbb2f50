"""When a release was looked at, so that its decisions can be taken again exactly as they were taken.

What a look may use follows from its time, so times are all that must be kept:
as differences in milliseconds, a release of a day fits into few kilobytes.
"""

from __future__ import annotations

from dataclasses import dataclass

KEPT = 1500
"""Glances in one record: half a day of looks twice a minute; what comes after is not kept."""

AWAY = "!"
"""Before the difference of a glance at a source that did not answer."""


@dataclass(frozen=True, slots=True)
class Glance:
    """One pass that looked, or tried to. time: in seconds, whole milliseconds. away: no answer came."""

    time: float
    away: bool = False


def exact(now: float) -> float:
    """The instant as a record can hold it; a pass must not know a finer one."""
    return round(now, 3)


def noted(glances: tuple[Glance, ...], time: float, *, away: bool) -> tuple[Glance, ...]:
    """One more glance. Of those that found nobody in, only the first counts."""
    again = away and bool(glances) and glances[-1].away
    return glances if again or len(glances) >= KEPT else (*glances, Glance(time, away))


def written(glances: tuple[Glance, ...]) -> str:
    """As a text of few bytes: each time as milliseconds since the one before."""
    parts, before = [], 0
    for glance in glances:
        at = round(glance.time * 1000)
        parts.append(f"{AWAY if glance.away else ''}{at - before}")
        before = at
    return " ".join(parts)


def read(text: str) -> tuple[Glance, ...]:
    """Inverse of `written`.

    Raises:
        ValueError: the text was not written by it.
    """
    found, at = [], 0
    for part in text.split():
        at += int(part.removeprefix(AWAY))
        found.append(Glance(at / 1000, part.startswith(AWAY)))
    return tuple(found)
