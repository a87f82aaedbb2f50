"""May the newest bins of a metric be used?

Absent is not zero. What reached us is compared, arm by arm, with what should
have: a canary whose slow pod is not scraped would look fast. Only the newest
bins are asked, so that an outage ends; evidence from before it stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Floats, Frame
from causal_rollouts.evidence.tables import Bins, MetricTable, measured, requests
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.reasons import Validity

TRAIL = 8
"""Bins that a window must be sound in before traffic may rise: four looks."""

LEAST_HISTORY = 40
"""Bins: two blocks of twenty, without which long-run variance is a guess (gate-findings, section 10)."""

MOSTLY_FALLING = 0.1
"""Share of changes that may be drops before a series is taken for no counter."""

_ARMS = tuple(Arm)
_CODES = tuple(Validity)
Singles = NDArray[np.float32]
Bytes = NDArray[np.int8]

_FIX = {
    Validity.NO_DATA: "nothing arrived in the newest bins; check that Prometheus scrapes the pods",
    Validity.NOT_A_NUMBER: "a sample is not a number{at}; mend the exporter",
    Validity.DUPLICATE_SERIES: "the same series was scraped by two targets{at}; scrape each pod once",
    Validity.WRONG_TYPE: "values fall as no counter does{at}; name a counter or a classic histogram",
    Validity.LAYOUT_CHANGED: "buckets differ from those of the history{at}; all pods need the same bounds",
    Validity.INCOMPLETE: "only {share} of the requests that were due arrived; check the scrapes of all arms",
    Validity.SHORT_HISTORY: "the stable pods have {bins} bins of history, {least} are needed",
}

_IDLE = "no pod had a request in the newest bins; check the gateway, and who calls it"


@dataclass(frozen=True, slots=True)
class Trail:
    """The newest bins, oldest first. tally[b, arm]: requests seen, unit-bins measured, unit-bins lost.

    code[b]: number of the worst defect, negative where it is only a guess. pod: the newest one's.
    """

    tally: Singles
    code: Bytes
    pod: str


def no_trail() -> Trail:
    """Before the first bin."""
    return Trail(np.zeros((TRAIL, len(_ARMS), 3), np.float32), np.zeros(TRAIL, np.int8), "")


def extended(trail: Trail, frame: Frame, table: MetricTable, begin: int, end: int) -> Trail:
    """The trail after bins [begin, end) of a table."""
    if end <= begin or table.bins is None:
        return trail
    tally = tallies(frame, table, begin, end).astype(np.float32)
    code = np.zeros(end - begin, np.int8)
    pod = trail.pod
    for defect in sorted(table.defects, key=lambda d: (d.bin, d.certain, d.pod)):
        if begin <= defect.bin < end:
            number = _CODES.index(defect.validity)
            code[defect.bin - begin] = number if defect.certain else -number
            pod = defect.pod
    return Trail(
        np.concatenate((trail.tally, tally))[-TRAIL:], np.concatenate((trail.code, code))[-TRAIL:], pod
    )


def tallies(frame: Frame, table: MetricTable, begin: int, end: int) -> Floats:
    """[bin, arm, (requests seen, unit-bins measured, unit-bins lost)] of [begin, end)."""
    bins = table.bins
    out = np.zeros((end - begin, len(_ARMS), 3))
    if bins is None:
        return out
    cut = slice(begin - bins.first, end - bins.first)
    seen = measured(bins)[:, cut]
    due = expected(frame, table, bins)[:, cut]
    here = seen & due
    count = np.where(here, requests(bins)[:, cut], 0.0)
    held = np.stack((here, due & ~seen))
    number = {unit.id: _ARMS.index(unit.arm) for unit in frame.units}
    arm = np.array([number.get(unit, -1) for unit in bins.ids], dtype=np.int64)
    for k in range(len(_ARMS)):
        mine = arm == k
        out[:, k, 0] = count[mine].sum(axis=0)
        out[:, k, 1:] = held[:, mine].sum(axis=1).T
    return out


def expected(frame: Frame, table: MetricTable, bins: Bins) -> NDArray[np.bool_]:
    """Which unit-bins should hold a measurement; wherever the unit was warm, if the table does not say."""
    if table.expected is not None:
        return table.expected
    warm = {unit.id: unit.ready + frame.warm_up for unit in frame.units}
    begin = np.array([warm.get(unit, frame.now + 1) for unit in bins.ids], dtype=np.int64)
    at = np.arange(bins.first, bins.first + measured(bins).shape[1])
    due: NDArray[np.bool_] = at >= begin[:, None]
    return due


def untorn(tally: Floats | Singles, row: int, least: float) -> bool:
    """Neither this bin nor the one before it is incomplete.

    What a lost scrape held comes with the next one: a sum that has one of the two bins and not the other
    is of no time at all. What came after too long a gap is lost for good.
    """
    return all(completeness(tally[at : at + 1]) >= least for at in (row - 1, row))


def completeness(tally: Floats | Singles) -> float:
    """Share of requests that reached us, of the least complete arm. tally: [bin, arm, 3].

    A lost unit-bin would have held what the same arm's units held in that bin on average. An arm without
    requests is judged by its unit-bins, one of which nothing was due is complete.
    """
    wide = np.asarray(tally, dtype=np.float64)
    if not wide[:, :, 2].any():
        return 1.0
    return min(_arm_complete(wide[:, k]) for k in range(wide.shape[1]))


def _arm_complete(bins: Floats) -> float:
    seen, held, lost = bins.T
    if lost.sum() == 0:
        return 1.0
    overall = seen.sum() / held.sum() if held.sum() > 0 else 0.0
    mean = np.divide(seen, held, out=np.full(len(seen), overall), where=held > 0)
    due = seen.sum() + float(lost @ mean)
    if due <= 0:
        return float(held.sum() / (held.sum() + lost.sum()))
    return float(seen.sum() / due)


def judge(metric: Metric, trail: Trail, least: float) -> tuple[Validity, str]:
    """(validity, words for the user) of the newest bins."""
    certain = trail.code[trail.code > 0]
    if len(certain):
        return _told(metric, _CODES[int(certain[-1])], trail)
    share = completeness(trail.tally)
    if share >= least:
        if _idle(metric, trail):
            return Validity.NO_DATA, f"metrics[{metric.name}]: {_IDLE}"
        return Validity.OK, ""
    guesses = trail.code[trail.code < 0]
    if len(guesses):
        return _told(metric, _CODES[-int(guesses[-1])], trail)
    silent = trail.tally[:, :, 1].sum() == 0
    return _told(metric, Validity.NO_DATA if silent else Validity.INCOMPLETE, trail)


def _idle(metric: Metric, trail: Trail) -> bool:
    """Pods were measured in all of the newest bins, and none of them had a request: nothing is compared."""
    seen, held, _ = np.moveaxis(trail.tally, 2, 0)
    return metric.kind is not MetricKind.FOOTPRINT and not seen.any() and bool(held.any(axis=1).all())


def _told(metric: Metric, found: Validity, trail: Trail) -> tuple[Validity, str]:
    at = f" (pod {trail.pod})" if trail.pod else ""
    share = f"{math.floor(completeness(trail.tally) * 100)}%"
    return found, f"metrics[{metric.name}]: " + _FIX[found].format(at=at, share=share)


def history_bins(frame: Frame, table: MetricTable, begin: int, end: int) -> int:
    """Bins of [begin, end) in which at least half of the stable units that were due were measured."""
    tally = tallies(frame, table, begin, end)[:, _ARMS.index(Arm.STABLE)]
    at = np.arange(begin, end)
    usable = (tally[:, 1] > 0) & (tally[:, 1] >= tally[:, 2]) & ~np.isin(at, sorted(frame.excluded))
    return int(usable.sum())


def short_history(metric: Metric, bins: int) -> tuple[Validity, str]:
    """Too little to learn noise from."""
    words = _FIX[Validity.SHORT_HISTORY].format(bins=bins, least=LEAST_HISTORY)
    return Validity.SHORT_HISTORY, f"metrics[{metric.name}]: {words}"


def no_counter(metric: Metric) -> tuple[Validity, str]:
    """Falls far too often."""
    return Validity.WRONG_TYPE, f"metrics[{metric.name}]: " + _FIX[Validity.WRONG_TYPE].format(at="")
