"""The JSON rows of a recording and the values they stand for, both ways.

A recording is written by hand as often as by a machine, so every row says
which field is wrong and what would be right, instead of failing in the middle
of an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.telemetry import Look
from causal_rollouts.model.traffic import WHOLE, Change, Weights

Row = Mapping[str, object]

YEAR_5000 = 1e11
"""Times beyond are milliseconds, not seconds."""

PER_MILLE = WHOLE / 100.0
"""Thousandths in a percent: recordings say percent, the gate counts in thousandths."""

HOUR, DAY = 3600.0, 86400.0

SLACK = 0.2
"""Percent by which written weights may miss 100: three shares, each rounded to a tenth."""


class BadRecording(ValueError):  # noqa: N818 - reads as a sentence in the message
    """A recording cannot be read; the message names file, place and fix."""


def pod(row: object, where: str) -> Pod:
    """One row of pods.json. uid is the name where the recording does not say it."""
    fields = _object(row, where)
    name = _text(fields, "pod", where)
    arm = _arm(fields, where)
    slot = _text(fields, "slot", where, default=name if arm is Arm.STABLE else None)
    created = _time(fields, "created", where)
    return Pod(
        name=name,
        uid=_text(fields, "uid", where, default=name),
        arm=arm,
        slot=slot,
        node=_text(fields, "node", where, default=""),
        zone=_text(fields, "zone", where, default=""),
        machine=_text(fields, "instanceType", where, default=""),
        created=created,
        ready=_maybe_time(fields, "ready", where),
        deleted=_maybe_time(fields, "deleted", where),
    )


def pod_row(one: Pod) -> dict[str, object]:
    """Inverse of `pod`."""
    return {
        "pod": one.name,
        "uid": one.uid,
        "arm": str(one.arm),
        "slot": one.slot,
        "node": one.node,
        "zone": one.zone,
        "instanceType": one.machine,
        "created": one.created,
        "ready": one.ready,
        "deleted": one.deleted,
    }


def change(row: object, where: str) -> Change:
    """One row of timeline.json."""
    fields = _object(row, where)
    stage = fields.get("stage")
    if stage is not None and (not isinstance(stage, int) or isinstance(stage, bool) or stage < 0):
        raise BadRecording(f"{where}.stage: {stage!r} is no stage; give 0, 1, ... or null before the first")
    weights = _weights(fields, where)
    return Change(_time(fields, "time", where), stage, weights, _text(fields, "phase", where, default=""))


def change_row(one: Change) -> dict[str, object]:
    """Inverse of `change`."""
    shares = {
        "canary": one.weights.canary / PER_MILLE,
        "baseline": one.weights.baseline / PER_MILLE,
        "stable": one.weights.stable / PER_MILLE,
    }
    row: dict[str, object] = {"time": one.time, "stage": one.stage, "weights": shares}
    return {**row, "phase": one.phase} if one.phase else row


def grid(row: object, where: str) -> Grid:
    """Bin, delay and scrape of run.json."""
    fields = _object(row, where)
    width, delay, scrape = (_number(fields, name, where) for name in ("bin", "delay", "scrape"))
    if width <= 0 or scrape <= 0 or delay < 0:
        raise BadRecording(
            f"{where}: bin {width}, delay {delay}, scrape {scrape}: give seconds, bin and scrape above 0"
        )
    if not (1.0 <= width <= HOUR and scrape <= HOUR and delay <= DAY):
        raise BadRecording(
            f"{where}: bin {width}, delay {delay}, scrape {scrape}: no operator runs like this; give "
            "seconds, bin between 1 and 3600"
        )
    return Grid(width, delay, scrape)


def look(row: object, where: str) -> Look:
    """One line of looks.jsonl."""
    fields = _object(row, where)
    last = fields.get("lastFinalBin")
    if not isinstance(last, int) or isinstance(last, bool):
        raise BadRecording(f"{where}.lastFinalBin: {last!r} is no bin; give the index as an integer")
    late = fields.get("lateBins") or 0
    if not isinstance(late, int):
        raise BadRecording(f"{where}.lateBins: {late!r} is no count; give an integer")
    error = fields.get("providerError") or ""
    return Look(_time(fields, "time", where), last, str(error), late)


def look_row(one: Look) -> dict[str, object]:
    """Inverse of `look`."""
    return {
        "time": one.time,
        "lastFinalBin": one.last_final,
        "providerError": one.provider_error,
        "lateBins": one.late_bins,
    }


def rows(value: object, where: str) -> Sequence[object]:
    """A JSON list."""
    if not isinstance(value, list):
        raise BadRecording(f"{where}: holds {type(value).__name__}, not a list; wrap the rows in [ ]")
    return value


def text(row: Row, name: str, where: str) -> str:
    """A text that may be missing."""
    return _text(row, name, where, default="")


def mapping(value: object, where: str) -> Row:
    """A JSON object."""
    return _object(value, where)


def _arm(fields: Row, where: str) -> Arm:
    named = fields.get("arm")
    try:
        return Arm(str(named))
    except ValueError:
        known = ", ".join(Arm)
        raise BadRecording(f"{where}.arm: {named!r} is no arm; use one of {known}") from None


def _weights(fields: Row, where: str) -> Weights:
    shares = _object(fields.get("weights"), f"{where}.weights")
    canary, baseline = (_number(shares, arm, f"{where}.weights") for arm in ("canary", "baseline"))
    stable = (
        _number(shares, "stable", f"{where}.weights") if "stable" in shares else 100.0 - canary - baseline
    )
    if abs(canary + baseline + stable - 100.0) > SLACK or min(canary, baseline, stable) < 0:
        raise BadRecording(
            f"{where}.weights: {canary} + {baseline} + {stable} is not 100; give percent of requests by arm"
        )
    return Weights(round(canary * PER_MILLE), round(baseline * PER_MILLE))


def _object(value: object, where: str) -> Row:
    if not isinstance(value, dict):
        raise BadRecording(f"{where}: holds {type(value).__name__}, not an object; write {{...}}")
    return value


def _text(fields: Row, name: str, where: str, default: str | None = None) -> str:
    found = fields.get(name)
    if found is None or found == "":
        if default is None:
            _missing(name, where)
        return default
    if not isinstance(found, str):
        raise BadRecording(f"{where}.{name}: {found!r} is no text; put it in quotes")
    return found


def _number(fields: Row, name: str, where: str) -> float:
    found = fields.get(name)
    if found is None:
        _missing(name, where)
    if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
        raise BadRecording(f"{where}.{name}: {found!r} is no number")
    return float(found)


def _time(fields: Row, name: str, where: str) -> float:
    found = _number(fields, name, where)
    if found > YEAR_5000:
        raise BadRecording(f"{where}.{name}: {found:.0f} looks like milliseconds; give seconds")
    return found


def _maybe_time(fields: Row, name: str, where: str) -> float | None:
    return None if fields.get(name) is None else _time(fields, name, where)


def _missing(name: str, where: str) -> NoReturn:
    raise BadRecording(f"{where}.{name}: is missing; add it")
