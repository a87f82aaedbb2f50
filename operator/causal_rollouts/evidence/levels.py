"""What a continuous metric remembers: two sums per unit, however long the release runs.

Bins are taken one by one, in order, and every sum over units is exactly rounded,
so that a look missed in an outage and made up later leaves the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.evidence.frame import Floats, Frame, HistogramBins, LevelBins, Unit
from causal_rollouts.model.arms import Arm
from causal_rollouts.stats.bucket_moments import log_means, log_middles
from causal_rollouts.stats.variance_components import Components, weights

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = 2**62
"""A bin that does not come: of a node without a canary, of stable pods before promotion."""

_CLIP_LEAST = 0.5
_CLIP_ERRORS = 4.0
_PURE_NODES = 2

RECENT = 20
"""Bins over which an incident of the whole service is looked for: as long as it lasts, and not longer."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Sums of all bins before `bin`, where a window starts; slots that came later have none."""

    bin: int
    sums: Floats
    service: Floats


@dataclass(frozen=True, slots=True)
class Past:
    """What slots showed in the pre-period, in either arm on the stable template.

    nodes: where each slot stood. begin: its first bin that counts. first, end: of the pre-period. sums: as
    those of the state, [slot, (weight, weight times z)]; stable: of the stable units in these bins.
    """

    slots: tuple[str, ...]
    nodes: tuple[str, ...]
    begin: Ints
    first: int
    end: int
    sums: Floats
    stable: Floats


@dataclass(frozen=True, slots=True)
class ContinuousState:
    """Sufficient statistics of one continuous metric; bins below `next_bin` are consumed.

    stable, slots: ids of the rows of `sums`, (weight, weight times z), stable first.
    pure: the same of stable units, of bins before a canary came to their node.
    offsets: level of each stable unit in the pre-period. anchors: level of each baseline slot at
    un-pause, nan before. reference: newest common level. service: (requests, sum of log levels);
    recent: (bin, and the same of it) of the newest bins that count. trend: of each stable unit, its level in
    the newer half of the pre-period less the older, nan where one half is empty. probed: (bin, common level)
    of each bin of the newest probe. past: None where the arms had no pre-period of their own.
    """

    components: Components
    first: int
    next_bin: int
    stable: tuple[str, ...]
    slots: tuple[str, ...]
    offsets: Floats
    anchors: Floats
    anchored: bool
    reference: float
    sums: Floats
    pure: Floats
    service: Floats
    recent: Floats
    trend: Floats
    marks: tuple[Mark, ...]
    probed: Floats
    past: Past | None = None


def absorb(state: ContinuousState, frame: Frame, bins: HistogramBins | LevelBins) -> ContinuousState:
    """Consume the bins of the table that are new, up to `frame.now`.

    A window start that the frame names only after its bin was consumed is marked at the next bin.
    """
    return consume(state, frame, bins, frame.now + 1)


def consume(
    state: ContinuousState, frame: Frame, bins: HistogramBins | LevelBins, end: int
) -> ContinuousState:
    """As `absorb`, up to but without the bin `end`."""
    begin = max(state.next_bin, bins.first)
    end = min(end, bins.first + bins.lost.shape[1])
    clip = bins.clip if isinstance(bins, LevelBins) else _CLIP_LEAST
    if end <= begin:
        return state
    state = _with_new_slots(state, frame)
    units = _Units.of(state, frame)
    requests, levels = observations(bins, (*state.stable, *state.slots), begin, end)
    w = weights(requests, state.components.a, state.components.s2)
    for column, at in enumerate(range(begin, end)):
        state = _mark(state, frame, at)
        if at >= units.until and not state.anchored:
            state = _anchor(state, units)
        if frame.probe is not None and at >= frame.probe.first:
            state = _probe(state, units, frame.probe.first, at, levels[:, column], w[:, column])
        if at not in frame.excluded:
            state = _add(state, units, at, requests[:, column], levels[:, column], w[:, column], clip)
    return replace(state, next_bin=end)


def observations(
    bins: HistogramBins | LevelBins, ids: tuple[str, ...], begin: int, end: int
) -> tuple[Floats, Floats]:
    """(requests, mean log) of the units `ids` in [begin, end); nothing of a lost or unknown unit."""
    columns = slice(begin - bins.first, end - bins.first)
    row = {unit: i for i, unit in enumerate(bins.ids)}
    known = [i for i, unit in enumerate(ids) if unit in row]
    found = [row[ids[i]] for i in known]
    if isinstance(bins, LevelBins):
        n, mean = bins.n[found, columns], bins.level[found, columns]
    else:
        n, mean = log_means(bins.counts[found, columns], log_middles(bins.edges))
    requests, levels = np.zeros((2, len(ids), end - begin))
    requests[known] = np.where(bins.lost[found, columns], 0.0, n)
    levels[known] = mean
    return requests, levels


def slot_begin(unit: Unit, t0: int, warm_up: int) -> int:
    """First bin in which an arm's slot counts: warm, and under the weights of a stage."""
    return max(unit.ready, t0) + warm_up


@dataclass(frozen=True, slots=True)
class _Units:
    """The frame by rows of `sums`: first bin that counts, and of stable ones first exposure.

    nodes: first exposure of each node that has stable units.
    """

    begin: Ints
    baseline: Bools
    stable: int
    exposure: Ints
    nodes: Ints
    until: int
    t0: int

    @classmethod
    def of(cls, state: ContinuousState, frame: Frame) -> _Units:
        named = {unit.id: unit for unit in frame.units}
        t0 = NEVER if frame.t0 is None else frame.t0
        stable = [named.get(i) for i in state.stable]
        slots = [named.get(i) for i in state.slots]
        begin = [NEVER if u is None else u.ready + frame.warm_up for u in stable]
        begin += [NEVER if u is None else slot_begin(u, t0, frame.warm_up) for u in slots]
        nodes = tuple("" if u is None else u.node for u in stable)
        return cls(
            begin=np.array(begin, dtype=np.int64),
            baseline=np.array([u is not None and u.arm is Arm.BASELINE for u in slots], dtype=np.bool_),
            stable=len(stable),
            exposure=np.array([frame.exposed.get(node, NEVER) for node in nodes], dtype=np.int64),
            nodes=np.array([frame.exposed.get(node, NEVER) for node in set(nodes)], dtype=np.int64),
            until=NEVER if frame.until_stable is None else frame.until_stable,
            t0=t0,
        )

    def reference(self, at: int) -> Bools:
        """Stable units that show the common level: pure ones, or all where pure nodes are too few."""
        pure = self.exposure > at
        return pure if np.count_nonzero(self.nodes > at) >= _PURE_NODES else np.ones_like(pure)


def _with_new_slots(state: ContinuousState, frame: Frame) -> ContinuousState:
    known = set(state.slots)
    new = tuple(u.id for u in frame.units if u.arm is not Arm.STABLE and u.id not in known)
    if not new:
        return state
    return replace(
        state,
        slots=(*state.slots, *new),
        anchors=np.concatenate((state.anchors, np.full(len(new), np.nan))),
        sums=np.concatenate((state.sums, np.zeros((len(new), 2)))),
    )


def _mark(state: ContinuousState, frame: Frame, at: int) -> ContinuousState:
    marked = {mark.bin for mark in state.marks}
    due = sorted({start for start in frame.windows if start <= at} - marked)
    new = tuple(Mark(start, state.sums, state.service) for start in due)
    return replace(state, marks=state.marks + new) if new else state


def _anchor(state: ContinuousState, units: _Units) -> ContinuousState:
    """At un-pause stable pods are replaced: from here baseline slots carry the common level on.

    A level that stood still would put a later incident into the clip of both arms, and halve the effect.
    """
    w, wz = state.sums[units.stable :].T
    anchors = np.divide(wz, w, out=np.full_like(w, np.nan), where=units.baseline & (w > 0))
    return replace(state, anchors=anchors, anchored=True)


def _probe(
    state: ContinuousState, units: _Units, first: int, at: int, y: Floats, w: Floats
) -> ContinuousState:
    """Also of bins that a switch spoils: which bins have a level must not depend on when was switched."""
    S = units.stable
    voices = (units.begin[:S] <= at) & units.reference(at)
    level = _weighted_mean(np.where(voices, w[:S], 0.0), y[:S] - state.offsets, math.nan)
    kept = state.probed[state.probed[:, 0] >= first]
    return replace(state, probed=np.vstack((kept, [at, level])))


def _add(
    state: ContinuousState, units: _Units, at: int, n: Floats, y: Floats, w: Floats, clip: float
) -> ContinuousState:
    S = units.stable
    counts = (units.begin <= at) & (n > 0)
    if at >= units.until:
        counts[:S] = False
    voices, heard, level = counts.copy(), counts.copy(), np.zeros(len(n))
    if at >= units.until:
        voices[S:] &= np.isfinite(state.anchors)
        level[S:] = np.nan_to_num(state.anchors)
        heard = voices
    else:
        voices[:S] &= units.reference(at)
        voices[S:] = False
        level[:S] = state.offsets
        heard[S:] &= units.baseline
    reference = _weighted_mean(np.where(voices, w, 0.0), y - level, state.reference)
    limit = np.maximum(clip, _CLIP_ERRORS / np.sqrt(np.where(w > 0, w, 1.0)))
    z = np.clip(y - reference, -limit, limit)
    added = np.where(counts[:, None], np.column_stack((w, w * z)), 0.0)
    share = np.where(heard, n, 0.0)
    common = y - level if at >= units.until else y
    service = np.array([math.fsum(share.tolist()), math.fsum((share * common).tolist())])
    is_pure = (units.exposure > at)[:, None]
    return replace(
        state,
        reference=reference,
        sums=state.sums + added,
        pure=state.pure + np.where(is_pure, added[:S], 0.0),
        service=state.service + service,
        recent=np.vstack((state.recent[1:], np.append(at, service))),
    )


def _weighted_mean(w: Floats, values: Floats, otherwise: float) -> float:
    total = math.fsum(w.tolist())
    return math.fsum((w * values).tolist()) / total if total > 0 else otherwise
