"""The comparison of one window, as rows of a small least-squares problem.

Node effects are learned from stable pods before and during the window. Fresh
pods get a free level per start, so that only baseline speaks of what the
candidate's level would have been. Stable pods beside a canary speak of
neighbour harm alone: it neither hides in nor biases the effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causal_rollouts.evidence.frame import Floats
from causal_rollouts.evidence.layout import Bools, Ints, Layout
from causal_rollouts.evidence.levels import ContinuousState, Past
from causal_rollouts.stats.mixed_gls import Covariance
from causal_rollouts.stats.variance_components import Components
from causal_rollouts.stats.window_covariance import window_correlation

LOANED = 8.0
"""Degrees of freedom that the old pods' lottery is worth for fresh pods, at most (ADR 15).

Fresh pods draw by a variance of their own. Where its ratio to the old pods' is known to within half of
itself, a perfect estimate of the latter tells as much of the former as 2/.5^2 degrees of freedom.
"""

_BEFORE, _PAST, _PRESENT = -3, -2, -1
_LEAST_BINS = 2
_PURE_NODES = 2


@dataclass(frozen=True, slots=True)
class Rows:
    """Weighted means over [begin, end).

    level: rows with the same number share a free level. treated: 1 for a canary slot. beside: the part
    of the time that it shared its node with a canary. share[r, i]: the part that unit i has in row r.
    """

    weight: Floats
    mean: Floats
    node: Ints
    begin: Ints
    end: Ints
    level: Ints
    treated: Floats
    beside: Floats
    share: Floats

    def at(self, kept: Bools) -> Rows:
        """Some of the rows."""
        if kept.all():
            return self
        return Rows(
            weight=self.weight[kept],
            mean=self.mean[kept],
            node=self.node[kept],
            begin=self.begin[kept],
            end=self.end[kept],
            level=self.level[kept],
            treated=self.treated[kept],
            beside=self.beside[kept],
            share=self.share[kept],
        )

    def over(self, below: Rows) -> Rows:
        """These rows and then those."""
        return Rows(
            weight=np.concatenate((self.weight, below.weight)),
            mean=np.concatenate((self.mean, below.mean)),
            node=np.concatenate((self.node, below.node)),
            begin=np.concatenate((self.begin, below.begin)),
            end=np.concatenate((self.end, below.end)),
            level=np.concatenate((self.level, below.level)),
            treated=np.concatenate((self.treated, below.treated)),
            beside=np.concatenate((self.beside, below.beside)),
            share=np.concatenate((self.share, below.share)),
        )

    def covariance(self, c: Components) -> Covariance:
        """What the frozen components say of these rows."""
        together = self.node[:, None] == self.node[None, :]
        correlation = window_correlation(c.phi, self.begin, self.end)
        return Covariance(
            sampling=c.kap / self.weight,
            members=c.sig_n2 * together + c.sig_p2 * (self.share @ self.share.T),
            drift=c.gam * np.where(together, correlation, 0.0),
            df_members=min(c.df_p, LOANED),
            df_drift=c.df_g,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows and design of one window. The effect's column is `effect`.

    neighbour: column of the neighbour effect, None where it cannot be told from other things.
    same_node: the effect stands against baseline slots that may suffer from canaries beside them.
    lonely: fewer than two nodes are without a canary, so stable pods tell of the time before alone.
    settled: rows of stable pods, which come first; then come the slots, those of the pre-period before those
    of the window.
    """

    rows: Rows
    design: Floats
    effect: int
    neighbour: int | None
    same_node: bool
    settled: int
    lonely: bool = False

    @property
    def wanted(self) -> tuple[int, ...]:
        """Columns to be estimated: the effect, then that on neighbours where it is seen."""
        return (self.effect,) if self.neighbour is None else (self.effect, self.neighbour)


def compare(state: ContinuousState, layout: Layout, start: int) -> Comparison | None:
    """The comparison of the window from `start`, or None while no pair of slots has two bins."""
    mark = next((m for m in state.marks if m.bin == start), None)
    if mark is None:
        return None
    sums = np.zeros_like(state.sums)
    sums[: len(mark.sums)] = mark.sums
    slots = _slot_rows(state, layout, sums, start)
    if not len(slots.weight):
        return None
    past, present = _node_rows(state, layout, sums, start)
    lonely = int((present.beside == 0).sum()) < _PURE_NODES
    if lonely:
        present = present.at(np.zeros(len(present.weight), dtype=np.bool_))
    arms = slots if state.past is None else _before_rows(state.past, state, layout, slots).over(slots)
    rows = past.over(present).over(arms)
    levels = np.unique(rows.level)
    columns = [(rows.level[:, None] == levels).astype(np.float64), rows.treated[:, None]]
    seen = not lonely and _neighbour_is_seen(present, slots)
    if seen:
        columns.append(rows.beside[:, None])
    effect = len(levels)
    same_node = not seen and bool(slots.beside.any())
    return Comparison(
        rows=rows,
        design=np.hstack(columns),
        effect=effect,
        neighbour=effect + 1 if seen else None,
        same_node=same_node,
        settled=len(rows.weight) - len(arms.weight),
        lonely=bool(lonely),
    )


def _neighbour_is_seen(present: Rows, slots: Rows) -> bool:
    """Stable pods beside a canary show it, or baseline slots of one start of which some are beside one."""
    if present.beside.any():
        return True
    baseline = slots.at(slots.treated == 0)
    return any(np.ptp(baseline.beside[baseline.level == level]) > 0 for level in np.unique(baseline.level))


def _slot_rows(state: ContinuousState, layout: Layout, before: Floats, start: int) -> Rows:
    """A row per slot; of a start that has slots in both arms only, others say nothing of the effect."""
    S = len(layout.stable)
    weight, total = (state.sums - before)[layout.rows].T
    begin = _first_open(np.maximum(start, layout.begin), layout.excluded)
    level = np.maximum(start, layout.cohort)
    kept = (weight > 0) & (layout.end - begin >= _LEAST_BINS)
    start_of = level[:, None] == level[None, :]
    kept &= (start_of & kept & layout.canary).any(axis=1) & (start_of & kept & ~layout.canary).any(axis=1)
    node = layout.node[S:]
    length = np.maximum(layout.end - begin, 1)
    beside = np.clip((layout.end - np.maximum(begin, layout.exposure[node])) / length, 0.0, 1.0)
    rows = Rows(
        weight=weight,
        mean=total / np.where(weight > 0, weight, 1.0),
        node=node,
        begin=begin,
        end=np.full_like(begin, layout.end),
        level=level,
        treated=layout.canary.astype(np.float64),
        beside=np.where(layout.canary, 0.0, beside),
        share=np.eye(layout.units)[S : S + len(node)],
    )
    return rows.at(kept)


def _before_rows(past: Past, state: ContinuousState, layout: Layout, slots: Rows) -> Rows:
    """A row per slot of the pre-period that has one in the window and stands where it stood.

    Its pod was another one: of the two rows' lots only the node's is the same.
    """
    S, L = len(layout.stable), len(layout.rows)
    own = [_place(past, state, layout, i) for i in range(L)]
    found = np.array([i for i in range(L) if own[i] >= 0 and slots.share[:, S + i].any()], dtype=np.int64)
    kept = [own[i] for i in found]
    begin, end = _first_open(past.begin[kept], layout.excluded), np.full(len(found), past.end, dtype=np.int64)
    weight, total = past.sums[kept].T
    rows = Rows(
        weight=weight,
        mean=total / np.where(weight > 0, weight, 1.0),
        node=layout.node[S:][found],
        begin=begin,
        end=end,
        level=np.full(len(found), _BEFORE),
        treated=np.zeros(len(found)),
        beside=np.zeros(len(found)),
        share=np.eye(layout.units)[S + L + found],
    )
    return rows.at((weight > 0) & (end - begin >= _LEAST_BINS))


def _place(past: Past, state: ContinuousState, layout: Layout, slot: int) -> int:
    """Row of a slot in the past, -1 where it has none or stands on another node now."""
    name = state.slots[layout.rows[slot] - len(state.stable)]
    if name not in past.slots:
        return -1
    place = past.slots.index(name)
    return place if past.nodes[place] == layout.names[layout.node[len(layout.stable) + slot]] else -1


def _node_rows(state: ContinuousState, layout: Layout, before: Floats, start: int) -> tuple[Rows, Rows]:
    """Means of each node's stable pods: before the window and any canary there, and in the window.

    Where the arms had a pre-period, that is the time before for all: a node that was another one an hour ago
    would pass for the release.
    """
    stable, node = layout.stable, layout.node[: len(layout.stable)]
    exposure, end = layout.exposure, layout.stable_end
    was_exposed = (exposure <= start)[node, None]
    now, pure, then = state.sums[stable], state.pure[stable], before[stable]
    own = state.past if state.past is not None and state.past.stable.any() else None
    past = _node_means(
        layout,
        np.where(was_exposed, pure, then) if own is None else own.stable[stable],
        begin=np.full_like(exposure, state.first if own is None else own.first),
        end=np.minimum(start, exposure) if own is None else np.full_like(exposure, own.end),
        level=_PAST,
        beside=np.zeros(layout.nodes),
    )
    exposed = exposure < end
    present = _node_means(
        layout,
        now - np.where((exposed & (exposure > start))[node, None], pure, then),
        begin=_first_open(np.where(exposed, np.maximum(start, exposure), start), layout.excluded),
        end=np.full_like(exposure, end),
        level=_PRESENT,
        beside=exposed.astype(np.float64),
    )
    return past, present


def _node_means(layout: Layout, sums: Floats, begin: Ints, end: Ints, level: int, beside: Floats) -> Rows:
    S, J = len(layout.stable), layout.nodes
    share = np.zeros((J, layout.units))
    share[layout.node[:S], np.arange(S)] = sums[:, 0]
    weight = share.sum(axis=1)
    kept = (weight > 0) & (end - begin >= _LEAST_BINS)
    divisor = np.where(weight > 0, weight, 1.0)
    total = np.bincount(layout.node[:S], weights=sums[:, 1], minlength=J)
    rows = Rows(
        weight=weight,
        mean=total / divisor,
        node=np.arange(J),
        begin=begin,
        end=end,
        level=np.full(J, level),
        treated=np.zeros(J),
        beside=beside,
        share=share / divisor[:, None],
    )
    return rows.at(kept)


def _first_open(begin: Ints, excluded: frozenset[int]) -> Ints:
    """First bin at or after each begin that is not in a blackout."""
    begin = begin.copy()
    for closed in sorted(excluded):
        begin[begin == closed] = closed + 1
    return begin
