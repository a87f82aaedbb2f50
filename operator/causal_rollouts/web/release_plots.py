"""The pictures of one release: traffic, evidence for harm, and for each metric its effect and its safety.

All share one axis of time, from the beginning of the release to its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from causal_rollouts.model.percent import percent
from causal_rollouts.model.reasons import Act
from causal_rollouts.model.trace import Reading
from causal_rollouts.ports import Record
from causal_rollouts.web.plot import Band, Line, Mark, Plot, of_log_ratio
from causal_rollouts.web.yardstick import Yardstick, yardsticks

LOOKS = {Act.ADVANCE: "good", Act.PROMOTE: "good", Act.REVERT: "bad", Act.PAUSE: "bad"}
Row = tuple[float, Reading]


def began(record: Record) -> float:
    """When the release began: minute 0."""
    times = [line.time for line in record.decisions[:1]] + [
        change.time for change in record.release.timeline[:1]
    ]
    return min(times, default=record.release.since)


def release_plots(record: Record) -> Iterator[Plot]:
    """In the order in which they are read."""
    yield _weights(record)
    known = {name: _rows(record, name) for name in yardsticks(record)}
    if any(rows for rows in known.values()):
        yield _harm(record)
    for name, stick in yardsticks(record).items():
        if any(math.isfinite(reading.effect) for _, reading in known[name]):
            yield _effect(record, stick, known[name])
        if any(math.isfinite(reading.safe) for _, reading in known[name]) and stick.gates:
            yield _safety(record, stick, known[name])


def minute(record: Record, time: float) -> float:
    """Minutes since the release began."""
    return (time - began(record)) / 60


def _end(record: Record) -> float:
    times = [record.release.since, *(p.time for p in record.trace), *(d.time for d in record.decisions)]
    return minute(record, max(times))


def _rows(record: Record, name: str) -> list[Row]:
    return [(minute(record, p.time), r) for p in record.trace for r in p.readings if r.name == name]


def _events(record: Record) -> list[Mark]:
    """Decisions that moved something, and where a pre-period ends."""
    acts = [(line.time, line.decision.act) for line in record.decisions if line.decision.act is not Act.HOLD]
    moved = [Mark(str(act), minute(record, time), LOOKS.get(act, "zero")) for time, act in acts]
    return [*_pre_period(record), *moved]


def _pre_period(record: Record) -> list[Mark]:
    """Traffic on both arms before the candidate was there, and then with it."""
    exposed = [change for change in record.release.timeline if change.weights.canary]
    if not exposed or exposed[0].stage is not None:
        return []
    begins = [exposed[0], *(change for change in exposed if change.stage is not None)][:2]
    words = ("both arms stable", "candidate")
    return [Mark(label, minute(record, c.time), "zero") for label, c in zip(words, begins, strict=False)]


def _weights(record: Record) -> Plot:
    end = _end(record)
    points: dict[str, list[tuple[float, float]]] = {"canary": [(0.0, 0.0)], "baseline": [(0.0, 0.0)]}
    for change in record.release.timeline:
        points["canary"].append((minute(record, change.time), change.weights.canary / 10))
        points["baseline"].append((minute(record, change.time), change.weights.baseline / 10))
    for series in points.values():
        series.append((max(end, series[-1][0]), series[-1][1]))
    highest = max(share for _, share in points["canary"])
    most = max(share for series in points.values() for _, share in series)
    return Plot(
        title="Share of traffic",
        unit="%",
        summary=f"The canary's share of the traffic reached {highest:g}% and is {points['canary'][-1][1]:g}% "
        "at the end.",
        end=end,
        low=0.0,
        high=max(20.0, 1.25 * most),
        lines=[
            Line("canary", points["canary"], "canary", step=True),
            Line("baseline", points["baseline"], "baseline", step=True),
        ],
        events=_events(record),
    )


def _harm(record: Record) -> Plot:
    """All metrics together against the one error budget: what reverts."""
    budget = -math.log(record.registration.alpha)
    seen = [(minute(record, p.time), p.log_harm) for p in record.trace]
    known = [harm for _, harm in seen if math.isfinite(harm)]
    if known:
        said = f"It reached {max(known):.1f} nats; the release is reverted at {budget:.1f}."
    else:
        said = f"No metric showed harm beyond its margin; the release would be reverted at {budget:.1f} nats."
    return Plot(
        title="Evidence for harm, all metrics together",
        unit="",
        summary=said,
        end=_end(record),
        low=min(0.0, *known, budget) if known else 0.0,
        high=max(1.3 * budget, *known) if known else 1.3 * budget,
        lines=[Line("evidence in nats, weighted over metrics and windows", seen, "bad")],
        levels=[Mark(f"error budget {budget:.1f}", budget, "bad")],
        events=_events(record),
        empty="" if known else "no metric showed harm beyond its margin",
    )


def _effect(record: Record, stick: Yardstick, rows: list[Row]) -> Plot:
    harm, safe = of_log_ratio(stick.harm), of_log_ratio(stick.safe)
    known = [(x, r) for x, r in rows if math.isfinite(r.effect)]
    effects = [of_log_ratio(r.effect) for _, r in known]
    widest = 3 * max(harm, safe)
    bounds = [of_log_ratio(b) for _, r in known for b in (r.lower, r.upper) if math.isfinite(b)]
    shown = [b for b in bounds if -widest <= b <= widest]
    last = known[-1][1]
    return Plot(
        title=f"{stick.name}: effect of the candidate against baseline",
        unit="%",
        summary=f"Last {percent(last.effect)}, {_between(last)}. Harm is counted from {_short(harm)}; "
        f"safe is below {_short(safe)}.",
        end=_end(record),
        low=max(-100.0, min(-0.5 * harm, *effects, *shown)),
        high=max(1.2 * safe, 1.2 * harm, *effects, *shown),
        lines=[Line("effect", [(x, of_log_ratio(r.effect)) for x, r in rows], "canary")],
        bands=[Band("always-valid interval", [(x, *_bounds(r)) for x, r in rows], "canary")],
        levels=[
            Mark("no effect", 0.0, "zero"),
            Mark(f"harm margin {_short(harm)}", harm, "bad"),
            Mark(f"safe margin {_short(safe)}", safe, "good"),
        ],
        events=_events(record),
    )


def _safety(record: Record, stick: Yardstick, rows: list[Row]) -> Plot:
    known = [r.safe for _, r in rows if math.isfinite(r.safe)]
    limit = 4 * stick.promote
    beyond = (
        f" Arrows point beyond the picture; the highest is {max(known):.1f}." if max(known) > limit else ""
    )
    return Plot(
        title=f"{stick.name}: evidence for safety",
        unit="",
        summary=f"Last {known[-1]:.1f} nats of evidence that harm is below the safe margin; it takes "
        f"{stick.advance:g} to advance and {stick.promote:g} to promote.{beyond}",
        end=_end(record),
        low=max(min(0.0, *known), -limit),
        high=min(max(1.3 * stick.promote, *known), limit),
        lines=[Line("evidence in nats", [(x, r.safe) for x, r in rows], "good")],
        levels=[
            Mark(f"to advance {stick.advance:g}", stick.advance, "zero"),
            Mark(f"to promote {stick.promote:g}", stick.promote, "good"),
        ],
        events=_events(record),
    )


def _between(reading: Reading) -> str:
    """The interval in words, also where it has no end."""
    if math.isfinite(reading.lower) and math.isfinite(reading.upper):
        return f"between {percent(reading.lower)} and {percent(reading.upper)}"
    if math.isfinite(reading.upper):
        return f"at most {percent(reading.upper)}"
    if math.isfinite(reading.lower):
        return f"at least {percent(reading.lower)}"
    return "with no bound yet"


def _bounds(reading: Reading) -> tuple[float, float]:
    """In percent; an interval without any end says nothing and is not drawn."""
    if math.isinf(reading.lower) and math.isinf(reading.upper):
        return math.nan, math.nan
    return of_log_ratio(reading.lower), of_log_ratio(reading.upper)


def _short(percents: float) -> str:
    return f"{percents:+.0f}%" if abs(percents) >= 100 else f"{percents:+.3g}%"
