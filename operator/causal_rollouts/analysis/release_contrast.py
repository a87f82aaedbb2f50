"""Canary slots against baseline slots, once, at the end: what a design-based analyst would say.

Fresh pods have no past of their own, so levels are compared: that baseline slots
began together with canaries and drew their nodes at random makes them comparable.
Where the arms had a pre-period, changes are compared too.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.blocks import MINUTES, Blocks
from causal_rollouts.analysis.changes import LEAST_BLOCKS, Changes, by_block, imputed
from causal_rollouts.analysis.load_standardised import without_load
from causal_rollouts.analysis.opinion import Absent, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Design, Panel, Slots
from causal_rollouts.analysis.phrasing import CONFIDENCE, drawn, estimated, variance
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.assignment import assign
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.release import PlannedSlot
from causal_rollouts.stats.change_scores import change_scores, contrast, levels
from causal_rollouts.stats.event_study import event_study
from causal_rollouts.stats.exposure_classes import exposure
from causal_rollouts.stats.few_units import Coefficient
from causal_rollouts.stats.randomization_test import exchanges, mean_differences, randomization_p
from causal_rollouts.stats.sensitivity import e_value

RANDOM = "slots drew their nodes at random and began together; no spill-over between arms"
TRENDS = "slots would have changed alike but for the release; nodes drawn at random"
NO_PAST = "fresh slots have no time of their own before the release"
NOT_DRAWN = "the recorded seed does not put the slots where they ran, so their law is not known"

Said = list[Opinion | Absent]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def of_release(design: Design, panel: Panel) -> Said:
    """All that is identified of the effect of the release on one metric, and what is not."""
    slots = panel.slots
    d = levels(slots.y, slots.w)
    whole = contrast(d, slots.canary, slots.cohort, slots.node)
    if whole is None:
        return [
            Absent(
                Question.RELEASE, "everything", "no cohort has both a canary and a baseline slot with data"
            )
        ]
    said: Said = [
        estimated(
            Question.RELEASE, f"difference of slot levels, {variance(whole)}", whole, RANDOM, _sizes(slots)
        ),
        _exact(design, panel, d, whole),
        _by_block(panel),
        *_classes(panel, d),
    ]
    if panel.metric.kind is MetricKind.LATENCY:
        said.append(without_load(panel, d))
    if panel.metric.kind is MetricKind.ERRORS:
        said.append(_unseen_cause(panel, whole))
    if not slots.before.any():
        methods = ("change scores", "pre-trend", "imputation over stages", "breakdown Mbar")
        return said + [Absent(Question.RELEASE, method, NO_PAST) for method in methods]
    return said + _changes(design, panel)


def _changes(design: Design, panel: Panel) -> Said:
    """What the pre-period adds: each slot against its own past, on its node, on the stable template."""
    slots, t0 = panel.slots, panel.t0
    span = np.flatnonzero(slots.before.any(axis=0))
    past = slice(int(span[0]), int(span[-1]) + 1)
    y = np.hstack((slots.y[:, past], slots.y[:, t0:]))
    w = np.hstack((slots.before[:, past], slots.w[:, t0:]))
    start = past.stop - past.start
    d = change_scores(y, w, np.arange(y.shape[1]) >= start)
    whole = contrast(d, slots.canary, slots.cohort, slots.node)
    if whole is None:
        return [Absent(Question.RELEASE, "change scores", "no cohort has slots of both arms with a past")]
    there = np.isfinite(d)
    changes = Changes(
        Question.RELEASE,
        panel,
        Blocks.of(start, panel.bin, min(MINUTES, start // LEAST_BLOCKS * panel.bin)),
        "slots",
        TRENDS,
        y[there],
        w[there],
        np.where(slots.canary[there], float(start), math.inf),
        slots.node[there],
    )
    minutes = f"pre-period of {start * panel.bin:.0f} min"
    return [
        estimated(Question.RELEASE, f"change scores, {variance(whole)}", whole, TRENDS, minutes),
        _exact_changes(design, panel, d, whole),
        *by_block(changes),
        imputed(changes, "all slots with a past began with the first stage"),
    ]


def _exact_changes(design: Design, panel: Panel, d: Floats, whole: Coefficient) -> Opinion | Absent:
    """The exact test of slots that have a past; those that came later have none and are left out."""
    assumes = "the operator's own draw; sharp null: no slot would have changed otherwise in the other arm"
    found = _by_the_draw(design, panel.slots, d, whole, assumes)
    return replace(found, method="randomisation test of changes")


def _sizes(slots: Slots) -> str:
    canaries = int(slots.canary.sum())
    places, cohorts = len(set(slots.node.tolist())), len(set(slots.cohort.tolist()))
    return (
        f"{canaries} canary and {len(slots.ids) - canaries} baseline slots on {places} nodes (the clusters), "
        f"{cohorts} cohort(s) compared within"
    )


def as_drawn(design: Design) -> bool:
    """Whether the recorded seed puts every slot where its first pod ran."""
    taken: tuple[PlannedSlot, ...] = ()
    for cohort in sorted(set(design.cohort.values())):
        new = [Slot.parse(slot) for slot, of in design.cohort.items() if of == cohort]
        wanted = sorted(new, key=lambda slot: (slot.arm is not Arm.CANARY, slot.ordinal))
        taken = assign(design.reg.seed, design.blocks, taken, wanted)
    return all(design.born[planned.slot.id].node == planned.node for planned in taken)


def _exact(design: Design, panel: Panel, d: Floats, whole: Coefficient) -> Opinion | Absent:
    slots, method = panel.slots, "randomisation test"
    if not np.isfinite(d).all():
        return Absent(Question.RELEASE, method, "a slot has no data, and losing it may be an effect")
    assumes = "the operator's own draw; sharp null: no slot would have answered otherwise in the other arm"
    return _by_the_draw(design, slots, d, whole, assumes)


def _by_the_draw(
    design: Design, slots: Slots, d: Floats, whole: Coefficient, assumes: str
) -> Opinion | Absent:
    """The randomisation test of slots whose score is known."""
    method, there = "randomisation test", np.isfinite(d)
    if not as_drawn(design):
        return Absent(Question.RELEASE, method, NOT_DRAWN)
    canary, node, cohort = slots.canary[there], slots.node[there], slots.cohort[there]
    law = exchanges(canary, node, cohort, blocks_of(design, slots)[there], seed=design.reg.seed)
    if law.possible == 1:
        return Absent(Question.RELEASE, method, "no other draw would have taken the same places")
    found = randomization_p(whole.estimate, mean_differences(d[there], law.draws, cohort), law)
    return drawn(Question.RELEASE, found, assumes, "assignments to the same places")


def blocks_of(design: Design, slots: Slots) -> Ints:
    """Number of each slot's block: only nodes of one block could have had each other's slots."""
    names = sorted(set(design.blocks.values()))
    return np.array([names.index(design.blocks[design.nodes[j]]) for j in slots.node], dtype=np.int64)


def _by_block(panel: Panel) -> Opinion | Absent:
    slots = panel.slots
    blocks = Blocks.of(panel.t0, panel.bin)
    moments = event_study(
        blocks.means(slots.y, slots.w),
        slots.canary,
        reference=None,
        stratum=slots.cohort,
        cluster=slots.node,
    )
    moments = tuple(m for m in moments if m.half > 0)
    if not moments:
        return Absent(Question.RELEASE, "event study of levels", "no whole block in which slots vary")
    return Opinion(
        Question.RELEASE,
        "event study of levels",
        Kind.ASYMPTOTIC,
        f"{RANDOM}; levels have no trend before them",
        spans=blocks.spans(moments),
        note="intervals for each block, bands for all together",
    )


def _classes(panel: Panel, d: Floats) -> Said:
    """Against pure and against same-node baseline slots, where there are both."""
    slots: Slots = panel.slots
    control = slots.touched[~slots.canary & (slots.w.sum(axis=1) > 0)]
    if not control.any():
        why = "no baseline slot stood beside a canary: the difference of levels is the total effect"
        return [Absent(Question.RELEASE, "exposure classes", why)]
    if control.all():
        why = (
            "every baseline slot stood beside a canary: the difference of levels is the same-node effect only"
        )
        return [Absent(Question.RELEASE, "exposure classes", why)]
    found = exposure(d, slots.canary, slots.touched, slots.cohort, slots.node)
    local = "spill-over ends at the node"
    names = (
        ("total effect (against baseline away from canaries)", found.total, local),
        ("same-node effect (against baseline beside canaries)", found.switch, "spill-over on both alike"),
        ("spill-over on baseline", found.spill, local),
    )
    return [
        Absent(Question.RELEASE, name, "no cohort has slots of both classes")
        if value is None
        else estimated(Question.RELEASE, name, value, assumes, variance(value))
        for name, value, assumes in names
    ]


def _unseen_cause(panel: Panel, whole: Coefficient) -> Opinion | Absent:
    """How strong a cause outside the design would have to be."""
    slots, method = panel.slots, "E-value of the rate ratio"
    half = whole.half_width(CONFIDENCE)
    control = ~slots.canary & (slots.w.sum(axis=1) > 0)
    rate = float(levels(slots.y[control], slots.w[control]).mean())
    if not rate > 0.0 or math.isnan(half) or whole.estimate + rate <= 0.0:
        return Absent(Question.RELEASE, method, "no rate ratio: an arm is without errors, or nothing varies")
    ratio = 1.0 + whole.estimate / rate
    near = (whole.estimate - half) if whole.estimate > 0 else (whole.estimate + half)
    crosses = near * whole.estimate <= 0.0 or 1.0 + near / rate <= 0.0
    at_limit = 1.0 if crosses else e_value(1.0 + near / rate)
    return Opinion(
        Question.RELEASE,
        method,
        Kind.MODEL,
        "only where the draw is doubted: a cause tied to both arm and errors by this ratio",
        note=f"ratio {ratio:.2f}: E-value {e_value(ratio):.2f}, {at_limit:.2f} at the interval's nearer end",
    )
