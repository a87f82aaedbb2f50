"""`second-opinion DIR`: what a recorded release shows at one fixed time, without the gate's model."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from causal_rollouts.analysis.opinion import MetricOpinion, Opinion, Question, SecondOpinion, Span
from causal_rollouts.analysis.opinion_words import effect_of, interval, one_of, p_of, shown
from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.analysis.second_opinion import second_opinion
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say, table
from causal_rollouts.model.percent import finite


async def run(asked: argparse.Namespace, _: object) -> Exit:
    """Print it."""
    directory: Path = asked.directory
    beside: Path | None = asked.reference
    try:
        other = None if beside is None else read(beside, staged=False)
        found = second_opinion(read(directory), other)
    except BadRecording as error:
        raise Stopped(str(error), Exit.USAGE) from error
    say(as_json(plain(found)) if asked.output == "json" else told(found))
    return Exit.OK


def told(found: SecondOpinion) -> str:
    """For people: a block a metric and question, and at the end what is not said."""
    minutes = (found.end - found.begin) / 60.0
    lines = [
        f"{found.release}: {minutes:.0f} minutes under stages, judged once at their end; nothing here decides"
    ]
    for metric in found.metrics:
        for question in Question:
            said = [one for one in metric.said if one.question is question]
            lines += _block(metric, question, said)
    return "\n".join(lines)


def plain(found: SecondOpinion) -> dict[str, object]:
    """As JSON has it. Effects of latency are relative changes, of errors differences of the share."""
    return {
        "release": found.release,
        "begin": found.begin,
        "end": found.end,
        "metrics": [
            {
                "name": metric.metric,
                "unit": "relative change" if metric.relative else "difference of the share of requests",
                "said": [_plain(metric, one) for one in metric.said],
                "absent": [
                    {"question": str(one.question), "method": one.method, "why": one.why}
                    for one in metric.absent
                ],
            }
            for metric in found.metrics
        ],
    }


def _block(metric: MetricOpinion, question: Question, said: list[Opinion]) -> Iterable[str]:
    yield f"\n{metric.metric}: {question}"
    rows = [(one.method, str(one.kind), effect_of(metric, one), p_of(one.p), one.note) for one in said]
    if rows:
        yield _indented(table(("METHOD", "KIND", "EFFECT (95%)", "P HARM", "NOTE"), rows))
    for one in said:
        if one.spans:
            yield _indented(f"{one.method}, minutes from the first stage:")
            yield _indented(
                _indented(table(("FROM", "TO", "EFFECT (95%)", "BAND"), _spans(metric, one.spans)))
            )
    for assumes in dict.fromkeys(one.assumes for one in said):
        who = ", ".join(_short(one.method) for one in said if one.assumes == assumes)
        yield _indented(f"assumed by {who}: {assumes}")
    why: dict[str, list[str]] = {}
    for absent in metric.absent:
        if absent.question is question:
            why.setdefault(absent.why, []).append(absent.method)
    for reason, methods in why.items():
        yield _indented(f"not said ({', '.join(methods)}): {reason}")


def _short(method: str) -> str:
    return method.split(" (", maxsplit=1)[0].split(",", maxsplit=1)[0]


def _spans(metric: MetricOpinion, spans: Iterable[Span]) -> Iterable[tuple[str, ...]]:
    for span in spans:
        own = interval(metric, span.effect, span.lower, span.upper)
        band = f"{one_of(metric, span.band_lower)} to {one_of(metric, span.band_upper)}"
        yield f"{span.begin:.0f}", f"{span.end:.0f}", own, band


def _plain(metric: MetricOpinion, one: Opinion) -> dict[str, object]:
    return {
        "question": str(one.question),
        "method": one.method,
        "kind": str(one.kind),
        "assumes": one.assumes,
        "effect": finite(shown(metric, one.effect)),
        "lower": finite(shown(metric, one.lower)),
        "upper": finite(shown(metric, one.upper)),
        "p": finite(one.p),
        "note": one.note,
        "blocks": [
            {
                "fromMinute": span.begin,
                "toMinute": span.end,
                "effect": finite(shown(metric, span.effect)),
                "lower": finite(shown(metric, span.lower)),
                "upper": finite(shown(metric, span.upper)),
                "bandLower": finite(shown(metric, span.band_lower)),
                "bandUpper": finite(shown(metric, span.band_upper)),
            }
            for span in one.spans
        ],
        "doubted": [
            {"mbar": d.mbar, "lower": finite(shown(metric, d.lower)), "upper": finite(shown(metric, d.upper))}
            for d in one.doubted
        ],
    }


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
