"""What pre-periods and A/A tests have shown so far: arms of one template, compared as a release would be.

Each is one more trial of the design itself: how often arms that are the same
were told apart, and whether they scattered as widely as the gate believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from causal_rollouts.model.reasons import Phase, Reason, Verdict
from causal_rollouts.model.scatter import Scatter, together
from causal_rollouts.ports import LoggedDecision, Record

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Trial:
    """One stretch of arms on one template. Effects are log ratios of latency, nan where unknown.

    begin in seconds since the epoch. se: the gate's standard error. fired: the arms were told apart.
    """

    release: str
    begin: float
    metric: str
    effect: float
    lower: float
    upper: float
    se: float
    fired: bool


@dataclass(frozen=True, slots=True)
class AARecord:
    """All trials of a rollout. rate: Clopper-Pearson bounds of the share that fired.

    scatter: root mean square of effect over its believed standard error, about 1 where the gate believes
    right; its bounds by chi-square. None without a trial that has an estimate.
    fresh: what the next release takes from them: how widely fresh pods scatter, of what is believed.
    """

    trials: tuple[Trial, ...]
    fired: int
    rate: tuple[float, float]
    scatter: float | None
    scatter_bounds: tuple[float, float] | None
    fresh: tuple[Scatter, ...] = ()


def aa_record(records: Sequence[Record]) -> AARecord:
    """The trials in the records, oldest first. Kind: rate exact, scatter exact for normal effects."""
    # Special functions are slow to import, and a report only tells the trials.
    from causal_rollouts.stats.binomial import clopper_pearson
    from causal_rollouts.stats.variance_cells import chi2_quantile

    trials = tuple(trial for record in records for trial in trials_of(record))
    fired = sum(trial.fired for trial in trials)
    known = [t.effect / t.se for t in trials if math.isfinite(t.effect) and t.se > 0]
    rate = clopper_pearson(fired, len(trials)) if trials else (0.0, 1.0)
    scatter = bounds = None
    if known:
        tail = (1.0 - CONFIDENCE) / 2.0
        total = math.fsum(z * z for z in known)
        scatter = math.sqrt(total / len(known))
        bounds = (
            math.sqrt(total / chi2_quantile(1.0 - tail, float(len(known)))),
            math.sqrt(total / chi2_quantile(tail, float(len(known)))),
        )
    fresh = together([record.release.scatter for record in records])
    return AARecord(trials, fired, rate, scatter, bounds, fresh)


def trials_of(record: Record) -> Iterator[Trial]:
    """The last look of each stretch: at its end, or where the arms were told apart."""
    newest: LoggedDecision | None = None
    for line in record.decisions:
        reason, contaminated = line.decision.reason, line.decision.verdict is Verdict.CONTAMINATED
        if reason is Reason.PRE_PERIOD:
            newest = line
        elif reason is Reason.REPLACING and newest is not None:
            yield from _told(record, newest, fired=False)
            newest = None
        elif reason is Reason.AA_TESTED or (contaminated and newest is not None):
            yield from _told(record, line, fired=contaminated)
            newest = None


def _told(record: Record, line: LoggedDecision, *, fired: bool) -> Iterator[Trial]:
    begins = [c.time for c in record.release.timeline if c.stage is None and c.phase == Phase.PRE_PERIOD]
    begin = max((time for time in begins if time <= line.time), default=line.time)
    metrics = line.evidence.get("metrics") if isinstance(line.evidence, dict) else None
    first = next((m for m in metrics or () if isinstance(m, dict) and m.get("kind") == "latency"), {})
    effect, lower, upper, se = (_number(first.get(name)) for name in ("effect", "lower", "upper", "se"))
    yield Trial(record.name, begin, str(first.get("name", "")), effect, lower, upper, se, fired)


def _number(value: object) -> float:
    """Of plain JSON: what has no value there is nan."""
    return float(value) if isinstance(value, (int, float)) else math.nan
