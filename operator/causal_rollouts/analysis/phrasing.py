"""From results of the statistics to opinions, the same way for every question."""

from __future__ import annotations

from causal_rollouts.analysis.opinion import Kind, Opinion, Question
from causal_rollouts.stats.few_units import Coefficient
from causal_rollouts.stats.randomization_test import Exact

CONFIDENCE = 0.95


def estimated(question: Question, method: str, found: Coefficient, assumes: str, note: str) -> Opinion:
    """A coefficient with its interval and one-sided p."""
    half = found.half_width(CONFIDENCE)
    return Opinion(
        question,
        method,
        Kind.ASYMPTOTIC,
        assumes,
        found.estimate,
        found.estimate - half,
        found.estimate + half,
        found.p_above(),
        note if half > 0 else f"{note}; no interval: {_why(found)}",
    )


def variance(found: Coefficient) -> str:
    """Which standard error stands behind an interval."""
    name = "pooled variance" if found.single else "larger of CR2 and pooled"
    return f"{'CR2' if found.robust else name}, {found.freedom:.1f} df"


def _why(found: Coefficient) -> str:
    return "nothing varies" if found.se == 0.0 else "one place carries an arm alone"


def drawn(question: Question, found: Exact, assumes: str, draws: str) -> Opinion:
    """A randomisation test. draws: what there could have been other ones of."""
    all_of = "" if found.enumerated else ", a sample of them tried"
    return Opinion(
        question,
        "randomisation test",
        Kind.EXACT,
        assumes,
        p=found.p,
        note=f"{found.possible} {draws} were as likely{all_of}; no p below {found.least:.2g} was possible",
    )
