"""A second opinion as a part of the report: what a fixed-time analyst would say beside the gate."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import count

from causal_rollouts.analysis.opinion import MetricOpinion, Question, SecondOpinion
from causal_rollouts.analysis.opinion_words import effect_of, p_of
from causal_rollouts.web.figure import figure
from causal_rollouts.web.opinion_plots import opinion_plots
from causal_rollouts.web.table import table

HEAD = ("Method", "Kind", "Effect (95%)", "p of harm", "Note", "Assumes")


def opinion_section(found: SecondOpinion) -> str:
    """Every method under its question, with its kind and what it assumes; what is not said, and why."""
    minutes = (found.end - found.begin) / 60.0
    head = f"<section><h2>A second opinion on {escape(found.release)}</h2>"
    parts = [
        f"{head}<p>{minutes:.0f} minutes under stages, judged once at their end. Nothing here decides.</p>"
    ]
    names = (f"o{number}" for number in count())
    for metric in found.metrics:
        parts += [part for question in Question if (part := _block(metric, question, names))]
    return "".join(parts) + "</section>"


def _block(metric: MetricOpinion, question: Question, names: Iterator[str]) -> str:
    rows = [
        tuple(
            map(
                escape,
                (one.method, str(one.kind), effect_of(metric, one), p_of(one.p), one.note, one.assumes),
            )
        )
        for one in metric.said
        if one.question is question
    ]
    absent = [one for one in metric.absent if one.question is question]
    if not rows and not absent:
        return ""
    pictures = "".join(figure(plot, next(names)) for plot in opinion_plots(metric, question))
    unsaid = "".join(f"<li>Not said: {escape(one.method)}, since {escape(one.why)}.</li>" for one in absent)
    return (
        f"<h3>{escape(metric.metric)}: {escape(str(question))}</h3>{pictures}"
        + (table(HEAD, rows) if rows else "")
        + (f"<ul>{unsaid}</ul>" if unsaid else "")
    )
