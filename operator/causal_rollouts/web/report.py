"""One self-contained HTML page that tells what releases did and why.

Made from records alone, so it can be drawn long after the pods, the metrics
and the operator are gone. Names and words come from a cluster: everything is
escaped, ids are numbers, and the page forbids itself to load anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from causal_rollouts.analysis.cost import Price
from causal_rollouts.analysis.opinion import SecondOpinion
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.percent import of_traffic, percent
from causal_rollouts.ports import LoggedDecision, Record
from causal_rollouts.web import segments
from causal_rollouts.web.attribution import FALSE_DISCOVERIES, attributed
from causal_rollouts.web.beforehand import beforehand, estimate
from causal_rollouts.web.checks import checks
from causal_rollouts.web.figure import figure
from causal_rollouts.web.footprints import tables
from causal_rollouts.web.opinion import opinion_section
from causal_rollouts.web.release_plots import began, minute, release_plots
from causal_rollouts.web.style import CSS
from causal_rollouts.web.table import table
from causal_rollouts.web.yardstick import Yardstick, newest_evidence, yardsticks

ENDS = {"Promoted": "good", "Reverted": "bad", "Aborted": "bad", "Blocked": "bad"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(
    title: str,
    records: Sequence[Record],
    story: Sequence[str] = (),
    opinion: SecondOpinion | None = None,
    prices: Sequence[Price] | None = None,
) -> str:
    """The whole page.

    story: lines printed while it happened, shown at the end. opinion: on one of them. prices: None for those
    of the records.
    """
    body = [f"<h1>{escape(title)}</h1>", _overview(records)]
    body += [_release(record, f"r{i}", prices) for i, record in enumerate(records)]
    if opinion is not None:
        body.append(opinion_section(opinion))
    if story:
        body.append("<h2>As it was told</h2><pre>" + escape("\n".join(story)) + "</pre>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _overview(records: Sequence[Record]) -> str:
    rows = [
        (
            f'<a href="#r{i}">{escape(record.name)}</a>',
            _outcome(record),
            escape(_stamp(began(record))),
            escape(f"{minute(record, record.release.since):.0f} min" if record.final else "running"),
            escape(record.release.why or _last(record)),
        )
        for i, record in enumerate(records)
    ]
    return table(("Release", "Outcome", "Began", "Took", "Why"), rows)


def _release(record: Record, anchor: str, prices: Sequence[Price] | None) -> str:
    budget = record.registration.budget.alpha
    evidence = newest_evidence(record)
    stages = ", ".join(of_traffic(stage.weight) for stage in record.registration.stages)
    figures = "".join(figure(plot, f"{anchor}p{number}") for number, plot in enumerate(release_plots(record)))
    decisions = [_decision(record, line) for line in record.decisions]
    head = ("Minute", "Stage", "Canary", "Act", "Reason", "Verdict", "Because")
    return (
        f'<section id="{anchor}"><h2>{escape(record.name)}: {_outcome(record)}</h2>'
        f"<p>{escape(record.release.why or _last(record))}</p>"
        f'<p class="dim">Began {escape(_stamp(began(record)))}. Stages {escape(stages)}. Error budget '
        f"{100 * budget:g}% for a false revert, over all metrics, stages and looks. Assignment seed "
        f"{record.registration.seed}.</p>"
        f"{beforehand(record)}<h3>What each metric showed</h3>{_metrics(record)}{_harmed(evidence)}"
        f"{_segments(record, anchor)}{_footprints(record, prices)}{figures}"
        f"{checks(evidence, record.registration.min_completeness, f'{anchor}c')}"
        f"{_people(record)}{_beside(record)}"
        f"<h3>Decisions</h3>{table(head, decisions)}{_numbers(record)}</section>"
    )


def _people(record: Record) -> str:
    """Who asked for what, and why."""
    if not record.requests:
        return ""
    rows = [
        tuple(
            escape(cell)
            for cell in (f"{minute(record, r.time):.1f}", r.verb, r.user or "not named", r.reason or "-")
        )
        for r in record.requests
    ]
    return "<h3>What people asked for</h3>" + table(("Minute", "Asked", "By", "Why"), rows)


def _beside(record: Record) -> str:
    """Other releases at the same time: they may have moved what both use."""
    if not record.beside:
        return ""
    rows = [
        tuple(
            escape(cell)
            for cell in (
                str(b.stage + 1),
                b.rollout,
                b.release or "-",
                ", ".join((*b.nodes, *b.routes)) or "nothing known",
            )
        )
        for b in record.beside
    ]
    return "<h3>Other releases at the same time</h3>" + table(("Stage", "Rollout", "Release", "Shares"), rows)


def _metrics(record: Record) -> str:
    latest = {r.name: r for r in record.trace[-1].readings} if record.trace else {}
    rows = []
    for name, stick in yardsticks(record).items():
        found = latest.get(name)
        shown = "no look yet"
        if found is not None:
            shown = estimate(found.effect, found.lower, found.upper)
        rows.append(
            tuple(
                escape(cell)
                for cell in (
                    name,
                    _role(stick),
                    shown,
                    "-" if math.isnan(stick.naive) else percent(stick.naive),
                    percent(stick.harm),
                    percent(stick.safe) if stick.gates else "-",
                    _nats(found.harm) if found else "-",
                    f"{_nats(found.safe)} of {stick.promote:g}" if found and stick.gates else "-",
                )
            )
        )
    head = (
        "Metric",
        "May",
        "Effect at the last look",
        "Naive",
        "Harm above",
        "Safe below",
        "For harm",
        "For safety",
    )
    naive = (
        '<p class="dim">Naive: the canary\'s pods against all stable pods, as a dashboard compares them. It '
        "takes the age of pods, their nodes and the suffering of neighbours for the release, and sees "
        "nothing that harms everybody. Nothing is decided by it.</p>"
    )
    return table(head, rows) + _notes(yardsticks(record).values()) + naive


def _notes(sticks: Iterable[Yardstick]) -> str:
    """What an effect stands against, where it is not what was planned."""
    said = [f"<li>{escape(f'{stick.name}: {stick.note}')}</li>" for stick in sticks if stick.note]
    return f"<ul>{''.join(said)}</ul>" if said else ""


def _segments(record: Record, name: str) -> str:
    """Parts that the metrics were cut into."""
    rows = [tuple(map(escape, row)) for row in segments.rows(record)]
    if not rows:
        return ""
    return (
        "<h3>Segments</h3><p>Each part is judged by itself. Of those whose harm holds, "
        f"{FALSE_DISCOVERIES:.0%} at most are false on average, over all that are asked.</p>"
        + "".join(figure(picture, f"{name}g{i}") for i, picture in enumerate(segments.pictures(record)))
        + table(segments.HEAD, rows)
    )


def _footprints(record: Record, prices: Sequence[Price] | None) -> str:
    """What the candidate uses, what the whole service would, and what that costs."""
    (head, rows), (heads, bill) = tables(record, prices)
    if not rows:
        return ""
    said = (
        "<h3>Footprint</h3><p>What is used for each request or in each pod, canary against baseline. It "
        "reverts nothing. The use at 100% is a model: every pod would use what the canary uses.</p>"
    )
    return said + table(head, rows) + ("<h4>Cost</h4>" + table(heads, bill) if bill else "")


def _harmed(evidence: Evidence | None) -> str:
    """Which metrics' harm holds up when all of them are asked."""
    names = attributed(evidence) if evidence else ()
    if not names:
        return ""
    return (
        f"<p>Harm is shown for {escape(', '.join(names))} (false discovery rate {FALSE_DISCOVERIES:.0%}).</p>"
    )


def _role(stick: Yardstick) -> str:
    return {"Both": "revert and gate", "RevertOnly": "revert", "ReportOnly": "report"}[str(stick.gating)]


def _decision(record: Record, line: LoggedDecision) -> tuple[str, ...]:
    d = line.decision
    stage = str(line.stage + 1) if line.stage >= 0 else "-"
    cells = (
        f"{minute(record, line.time):.1f}",
        stage,
        of_traffic(line.weight),
        str(d.act),
        str(d.reason),
        str(d.verdict),
        d.because,
    )
    return tuple(escape(cell) for cell in cells)


def _numbers(record: Record) -> str:
    """The same in numbers, for those who cannot see the plots or want to count."""
    if not record.trace:
        return ""
    names = list(yardsticks(record))
    rows = []
    for point in record.trace:
        found = {r.name: r for r in point.readings}
        cells = [f"{minute(record, point.time):.1f}", str(point.stage + 1), of_traffic(point.canary)]
        cells += [point.verdict, _nats(point.log_harm)]
        for name in names:
            r = found.get(name)
            cells.append(f"{estimate(r.effect, r.lower, r.upper)}; safe {_nats(r.safe)}" if r else "-")
        rows.append(tuple(escape(cell) for cell in cells))
    head = ("Minute", "Stage", "Canary", "Verdict", "For harm", *names)
    made = table(head, rows, scrolls=f"{record.name}: every look in numbers")
    return f"<details><summary>Every look in numbers</summary>{made}</details>"


def _outcome(record: Record) -> str:
    said = str(record.release.outcome or record.release.phase)
    return f'<span class="{ENDS.get(said, "")}">{escape(said)}</span>'


def _nats(evidence: float) -> str:
    return f"{evidence:.1f}" if math.isfinite(evidence) else "none"


def _last(record: Record) -> str:
    return record.decisions[-1].decision.because if record.decisions else ""


def _stamp(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
