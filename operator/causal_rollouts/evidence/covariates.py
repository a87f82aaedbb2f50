"""Do the arms differ in nothing but the release, as far as their pods tell?

Slots that start together are drawn for the arms at random, so on average they
are alike; what is asked here is whether this draw is. Nodes need no check of
their own, the estimate knows them, nor do places that stable pods show.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from causal_rollouts.evidence.frame import Frame
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.checks import Check, CheckName

MOST_APART = 2 / 3
"""Total variation between the arms' places: of three pods an arm, one may be the only one of its place."""

LEAST_OVERLAP = 0.5
"""Share of canary pods that need somebody to be compared with in their own place."""

MOST_OLDER = 2.0
"""Factor between the arms' mean ages: beyond it one arm is still warming up when the other is not."""


@dataclass(frozen=True, slots=True)
class _Arms:
    """Newest pods of canary slots with a baseline slot of their own start, and of those baseline slots."""

    canary: tuple[Pod, ...]
    baseline: tuple[Pod, ...]
    stable: tuple[Pod, ...]


def covariates(grid: Grid, pods: Iterable[Pod], frame: Frame) -> tuple[Check, ...]:
    """What zones, instance types and ages of the arms' pods say, at the end of the frame's newest bin."""
    if frame.t0 is None or frame.until_stable is not None:
        return ()
    end = grid.start(frame.now + 1)
    arms = _arms(frame, [pod for pod in pods if _runs(pod, end)])
    if not arms.canary or not arms.baseline:
        return ()
    return _balance(arms), _overlap(arms), _age(arms, end)


def _runs(pod: Pod, at: float) -> bool:
    return pod.ready is not None and pod.ready < at and (pod.deleted is None or pod.deleted >= at)


def _arms(frame: Frame, there: Sequence[Pod]) -> _Arms:
    t0 = frame.t0 or 0
    begin = {u.id: max(u.ready, t0) for u in frame.units if u.arm is not Arm.STABLE}
    newest = {pod.slot: pod for pod in sorted(there, key=lambda p: (p.created, p.uid)) if pod.slot in begin}
    slots = [(begin[slot], pod) for slot, pod in sorted(newest.items())]
    pairs = [
        (mine, other)
        for at, mine in slots
        for when, other in slots
        if mine.arm is Arm.CANARY and other.arm is Arm.BASELINE and abs(at - when) <= frame.warm_up
    ]
    past = {u.id for u in frame.units if u.arm is Arm.STABLE}
    return _Arms(
        canary=tuple({mine.slot: mine for mine, _ in pairs}.values()),
        baseline=tuple({other.slot: other for _, other in pairs}.values()),
        stable=tuple(pod for pod in there if pod.slot in past),
    )


def _shares(pods: Sequence[Pod]) -> dict[str, float]:
    return {place: count / len(pods) for place, count in Counter(pod.place for pod in pods).items()}


def _balance(arms: _Arms) -> Check:
    """Only places without stable pods count: what happens to all others is seen in those pods."""
    here, there = _shares(arms.canary), _shares(arms.baseline)
    seen = {pod.place for pod in arms.stable}
    unseen = {place: here.get(place, 0.0) - there.get(place, 0.0) for place in {*here, *there} - seen}
    # The places that stable pods show are one: there the arms differ by what is left.
    apart = 0.5 * (math.fsum(map(abs, unseen.values())) + abs(math.fsum(unseen.values())))
    note = f"places of the canary {_told(here)}, of the baseline {_told(there)}"
    ok = apart <= MOST_APART + 1e-9
    if not ok:
        note += (
            "; no stable pod shows what happens there, and it would look like the release: spread both arms, "
            "or retry"
        )
    return Check(CheckName.BALANCE, apart, MOST_APART, ok, note)


def _overlap(arms: _Arms) -> Check:
    places = {pod.place for pod in (*arms.baseline, *arms.stable)}
    within = sum(pod.place in places for pod in arms.canary) / len(arms.canary)
    note = f"{within:.0%} of the canary's pods have a control in their own zone and instance type"
    ok = within >= LEAST_OVERLAP
    if not ok:
        note += "; the others cannot be compared with anybody: let stable or baseline pods run there too"
    return Check(CheckName.OVERLAP, within, LEAST_OVERLAP, ok, note)


def _age(arms: _Arms, end: float) -> Check:
    mine, other = (_mean_age(pods, end) for pods in (arms.canary, arms.baseline))
    factor = max(mine, other) / min(mine, other)
    note = f"the canary's pods run for {mine:.0f} s on average, the baseline's for {other:.0f} s"
    ok = factor <= MOST_OLDER
    if not ok:
        note += "; cold pods are slow for no fault of the release: wait, ages come together by themselves"
    return Check(CheckName.AGE, factor, MOST_OLDER, ok, note)


def _mean_age(pods: Sequence[Pod], end: float) -> float:
    return math.fsum(end - (pod.ready or end) for pod in pods) / len(pods)


def _told(shares: dict[str, float]) -> str:
    return ", ".join(f"{place} {share:.0%}" for place, share in sorted(shares.items()))
