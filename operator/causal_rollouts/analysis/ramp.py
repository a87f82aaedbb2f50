"""Do the effects of the same slots agree at the weights they stood under?

Where nobody minds how much traffic the others of an arm have, an effect is the same at 5% and at 50%.
One that grows with the share says interference, or that the effect grows with time: this cannot tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.opinion import Absent, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Design, Panel, Slots
from causal_rollouts.analysis.phrasing import estimated, variance
from causal_rollouts.analysis.release_contrast import NOT_DRAWN, as_drawn, blocks_of
from causal_rollouts.stats.change_scores import contrast, levels
from causal_rollouts.stats.ramp_consistency import ramp_consistency
from causal_rollouts.stats.randomization_test import exchanges

Floats = NDArray[np.float64]

TEST = "ramp consistency test (Han, Li, Mao, Wu)"
CONSTANT = "time moves all slots alike, effects do not change with time"


def of_ramp(design: Design, panel: Panel) -> list[Opinion | Absent]:
    """The change of the effect at each rise of weight, and one exact test over all rises."""
    slots = panel.slots
    change, names = _changes(design, slots)
    if not names:
        return [Absent(Question.RAMP, "everything", "one stage only, or no slot was measured in two")]
    said: list[Opinion | Absent] = []
    for k, name in enumerate(names):
        found = contrast(change[:, k], slots.canary, slots.cohort, slots.node)
        if found is None:
            said.append(Absent(Question.RAMP, name, "no cohort has slots of both arms in both stages"))
        else:
            said.append(estimated(Question.RAMP, name, found, CONSTANT, variance(found)))
    return [*said, _exact(design, slots, change)]


def _exact(design: Design, slots: Slots, change: Floats) -> Opinion | Absent:
    if not as_drawn(design):
        return Absent(Question.RAMP, TEST, NOT_DRAWN)
    asked = slots.cohort[np.isfinite(change).any(axis=1)]
    there = np.isin(slots.cohort, asked)
    if _some_lost(change[there], slots.cohort[there]):
        return Absent(Question.RAMP, TEST, "a slot has no data in a stage, and losing it may be an effect")
    canary, cohort = slots.canary[there], slots.cohort[there]
    law = exchanges(canary, slots.node[there], cohort, blocks_of(design, slots)[there], seed=design.reg.seed)
    if law.possible == 1:
        return Absent(Question.RAMP, TEST, "no other draw would have taken the same places")
    found = ramp_consistency(change[there], canary, cohort, law)
    if found is None:
        return Absent(Question.RAMP, TEST, "no cohort has slots of both arms in both stages")
    sample = "" if found.enumerated else ", a sample of them tried"
    note = (
        f"two-sided; {found.possible} assignments to the same places were as likely{sample}; no p below "
        f"{found.least:.2g} was possible. A small p: slots mind the share of others, or the effect grows "
        "with time"
    )
    assumes = f"the operator's own draw; sharp null: {CONSTANT}, and nobody minds the share of others"
    return Opinion(Question.RAMP, TEST, Kind.EXACT, assumes, p=found.p, note=note)


def _some_lost(change: Floats, cohort: NDArray[np.int64]) -> bool:
    """At some rise some slots of a cohort have their change and some do not."""
    seen = np.isfinite(change)
    return any(bool((np.ptp(seen[cohort == c].astype(int), axis=0) > 0).any()) for c in np.unique(cohort))


def _changes(design: Design, slots: Slots) -> tuple[Floats, list[str]]:
    """[slots, rises]: level in a stage less that in the stage before, of slots that stood in both."""
    begins = [start - design.first for start in design.frame.windows if start < design.end]
    ends = [*begins[1:], slots.y.shape[1]]
    means = [levels(slots.y[:, a:b], slots.w[:, a:b]) for a, b in zip(begins, ends, strict=True)]
    names, columns = [], []
    for k in range(1, len(means)):
        column = means[k] - means[k - 1]
        if np.isfinite(column).any():
            shares = [100 * design.dose[ends[i] - 1] for i in (k - 1, k)]
            names.append(f"effect at {shares[1]:g}% less that at {shares[0]:g}%")
            columns.append(column)
    return (np.column_stack(columns) if columns else np.zeros((len(slots.ids), 0))), names
