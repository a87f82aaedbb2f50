"""One self-contained HTML page that tells what releases did and why.

Made from records alone, so it can be drawn long after the pods, the metrics
and the operator are gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from causal_rollouts.model.trace import Point
from causal_rollouts.ports import LoggedDecision, Record
from causal_rollouts.web.plot import Band, Line, Mark, Plot, svg
from causal_rollouts.web.style import CSS

ENDS = {"Promoted": "good", "Reverted": "bad", "Aborted": "bad", "Blocked": "bad"}


def page(title: str, records: Sequence[Record], story: Sequence[str] = ()) -> str:
    """The whole page. story: lines printed while it happened, shown at the end."""
    body = [f"<h1>{escape(title)}</h1>", _overview(records)]
    body += [_release(record) for record in records]
    if story:
        body.append("<h2>As it was told</h2><pre>" + escape("\n".join(story)) + "</pre>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _overview(records: Sequence[Record]) -> str:
    rows = "".join(
        f'<tr><td><a href="#{escape(r.name)}">{escape(r.name)}</a></td>'
        f'<td class="{ENDS.get(str(r.release.outcome), "")}">'
        f"{escape(str(r.release.outcome or 'running'))}</td>"
        f"<td>{escape(r.release.why)}</td></tr>"
        for r in records
    )
    head = "<tr><th>Release</th><th>Outcome</th><th>Why</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _release(record: Record) -> str:
    start = record.decisions[0].time if record.decisions else record.release.since
    plots: list[Plot | None] = [_weights(record, start)]
    for metric in record.registration.metrics:
        plots += [_effect(record, metric.name, start), _evidence(record, metric.name, start)]
    figures = "".join(
        f"<figure>{svg(plot, f'{record.name}-{i}')}<figcaption>{escape(plot.summary)}</figcaption></figure>"
        for i, plot in enumerate(p for p in plots if p is not None)
    )
    decisions = "".join(_decision(line, start) for line in record.decisions)
    return (
        f'<section id="{escape(record.name)}"><h2>{escape(record.name)}: '
        f"{escape(str(record.release.outcome or record.release.phase))}</h2>"
        f"<p>{escape(record.release.why)}</p><p>Began {_clock(start)}; assignment seed "
        f"{record.registration.seed}; error budget {record.registration.budget.alpha:g} over all metrics, "
        f"stages and looks.</p>{figures}<h3>Decisions</h3><table><thead><tr><th>Minute</th><th>Act</th>"
        f"<th>Reason</th><th>Verdict</th><th>Because</th></tr></thead><tbody>{decisions}</tbody></table></section>"
    )


def _decision(line: LoggedDecision, start: float) -> str:
    d = line.decision
    cells = (f"{(line.time - start) / 60:.1f}", str(d.act), str(d.reason), str(d.verdict), d.because)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _weights(record: Record, start: float) -> Plot:
    changes = [((c.time - start) / 60, c.weights) for c in record.release.timeline]
    end = (record.release.since - start) / 60
    points: dict[str, list[tuple[float, float]]] = {"canary": [(0.0, 0.0)], "baseline": [(0.0, 0.0)]}
    for minute, weights in changes:
        points["canary"].append((minute, weights.canary / 10))
        points["baseline"].append((minute, weights.baseline / 10))
    for series in points.values():
        series.append((max(end, series[-1][0]), series[-1][1]))
    highest = max((w.canary / 10 for _, w in changes), default=0.0)
    return Plot(
        title="Share of traffic",
        unit="%",
        summary=f"Share of traffic over time: the canary reached {highest:g}% and ended at "
        f"{points['canary'][-1][1]:g}%.",
        lines=[
            Line("canary", points["canary"], "canary", step=True),
            Line("baseline", points["baseline"], "baseline", step=True),
        ],
        events=_ends(record, start),
        low=0.0,
        high=100.0,
    )


def _readings(record: Record, name: str) -> Iterable[tuple[Point, float, float, float, float, float]]:
    for point in record.trace:
        for r in point.readings:
            if r.name == name:
                yield point, r.effect, r.lower, r.upper, r.harm, r.safe


def _pct(log_ratio: float) -> float:
    return 100 * math.expm1(min(log_ratio, 3.0)) if math.isfinite(log_ratio) else math.nan


def _effect(record: Record, name: str, start: float) -> Plot | None:
    seen = [
        ((p.time - start) / 60, _pct(e), _pct(low), _pct(high))
        for p, e, low, high, _, _ in _readings(record, name)
    ]
    known = [row for row in seen if math.isfinite(row[1])]
    if not known:
        return None
    metric = next(m for m in record.registration.metrics if m.name == name)
    last = known[-1]
    return Plot(
        title=f"{name}: effect of the candidate",
        unit="%",
        summary=f"{name}: effect of the candidate against baseline with its always-valid interval; "
        f"last {last[1]:+.1f}% ({last[2]:+.1f}% to {last[3]:+.1f}%).",
        lines=[Line("effect", [(x, e) for x, e, _, _ in seen], "canary")],
        bands=[Band("always-valid interval", [(x, low, high) for x, _, low, high in seen], "canary")],
        levels=[
            Mark("no effect", 0.0, "zero"),
            Mark("harm margin", 100 * metric.margins.revert_above, "bad"),
            Mark("promote margin", 100 * metric.margins.promote_below, "good"),
        ],
        events=_ends(record, start),
        low=max(min(-5.0, *(row[2] for row in known)), -100.0),
        high=min(max(150 * metric.margins.promote_below, *(row[3] for row in known)), 400.0),
    )


def _evidence(record: Record, name: str, start: float) -> Plot | None:
    seen = [((p.time - start) / 60, harm, safe) for p, _, _, _, harm, safe in _readings(record, name)]
    if not any(math.isfinite(harm) or math.isfinite(safe) for _, harm, safe in seen):
        return None
    budget = record.registration.budget
    return Plot(
        title=f"{name}: evidence",
        unit="",
        summary=f"{name}: log evidence in nats for harm and for safety; the whole error budget is spent at "
        f"{-math.log(budget.alpha):.1f} nats of weighted evidence for harm.",
        lines=[
            Line("for harm", [(x, harm) for x, harm, _ in seen], "bad"),
            Line("for safety", [(x, safe) for x, _, safe in seen], "good"),
        ],
        levels=[
            Mark("error budget", -math.log(budget.alpha), "bad"),
            Mark("enough to promote", budget.promote_continuous, "good"),
        ],
        events=_ends(record, start),
        low=-5.0,
        high=15.0,
    )


def _ends(record: Record, start: float) -> list[Mark]:
    return [
        Mark(f"{line.decision.act}: {line.decision.reason}", (line.time - start) / 60, "event")
        for line in record.decisions
        if line.decision.act != "Hold"
    ]


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
