"""A second opinion as a part of the report: what a fixed-time analyst would say beside the gate."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from causal_rollouts.analysis.opinion import MetricOpinion, Question, SecondOpinion
from causal_rollouts.analysis.opinion_words import effect_of, p_of

HEAD = ("Method", "Kind", "Effect (95%)", "p of harm", "Note", "Assumes")


def opinion_section(found: SecondOpinion) -> str:
    """Every method under its question, with its kind and what it assumes; what is not said, and why."""
    minutes = (found.end - found.begin) / 60.0
    head = f"<section><h2>A second opinion on {escape(found.release)}</h2>"
    parts = [
        f"{head}<p>{minutes:.0f} minutes under stages, judged once at their end. Nothing here decides.</p>"
    ]
    for metric in found.metrics:
        parts += [part for question in Question if (part := _block(metric, question))]
    return "".join(parts) + "</section>"


def _block(metric: MetricOpinion, question: Question) -> str:
    rows = [
        (one.method, str(one.kind), effect_of(metric, one), p_of(one.p), one.note, one.assumes)
        for one in metric.said
        if one.question is question
    ]
    absent = [one for one in metric.absent if one.question is question]
    if not rows and not absent:
        return ""
    unsaid = "".join(f"<li>Not said: {escape(one.method)}, since {escape(one.why)}.</li>" for one in absent)
    return (
        f"<h3>{escape(metric.metric)}: {escape(str(question))}</h3>"
        + (_table(rows) if rows else "")
        + (f"<ul>{unsaid}</ul>" if unsaid else "")
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in HEAD)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
