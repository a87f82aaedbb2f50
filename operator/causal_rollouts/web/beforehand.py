"""What the arms showed on one template: in this release before its first stage, and in those before it."""

from __future__ import annotations

import math
from html import escape

from causal_rollouts.analysis.aa_record import trials_of
from causal_rollouts.model.percent import interval
from causal_rollouts.model.question import question
from causal_rollouts.ports import Record
from causal_rollouts.web.release_plots import minute


def beforehand(record: Record) -> str:
    """Paragraphs of HTML, "" where there was nothing of the kind."""
    return _asked(record) + _learned(record) + _shown(record)


def _asked(record: Record) -> str:
    """The question, its quantities and what the answer rests on, folded away."""
    asked = question(record.registration)
    rests = [f"{one.assumes}. Checked by: {one.checked}" for one in asked.assumptions]
    sought = [f"Estimated is {line}" for line in asked.estimands]
    listed = "".join(f"<li>{escape(line)}.</li>" for line in (*sought, *rests))
    return f"<details><summary>{escape(asked.asks)}</summary><ul>{listed}</ul></details>"


def estimate(effect: float, lower: float, upper: float) -> str:
    """An effect with its bounds, from log ratios."""
    return "no estimate" if math.isnan(effect) else interval(effect, lower, upper)


def _learned(record: Record) -> str:
    """What the release registered of fresh pods, from A/A tests and pre-periods before it."""
    told = [
        f"{one.metric} {one.ratio:.2f} times ({one.df:.0f} degrees of freedom)"
        for one in record.registration.scatter
    ]
    if not told:
        return ""
    return (
        '<p class="dim">Arms of one template in earlier releases: fresh pods varied, against what is taken '
        f"from old ones, {escape(', '.join(told))}. The intervals below count with it.</p>"
    )


def _shown(record: Record) -> str:
    """What both arms showed while they ran the stable version."""
    said = []
    for trial in trials_of(record):
        verdict = "told apart" if trial.fired else "not told apart"
        told = f"{trial.metric} {estimate(trial.effect, trial.lower, trial.upper)}"
        error = f", standard error {trial.se:.1%}" if math.isfinite(trial.se) else ""
        said.append(
            f"<p>Before the release both arms ran the stable version from minute "
            f"{minute(record, trial.begin):.1f} on and were {verdict}: {escape(told)}{error}.</p>"
        )
    return "".join(said)
