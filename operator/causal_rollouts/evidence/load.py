"""Does a canary pod carry as much as a baseline pod?

A pod under more load answers later, and the difference would look like the release. The weights say
what each pod should carry; what it does carry is counted, because gateways, endpoints and sticky
sessions have a say too. The gate does not take load off its estimate, so what differs holds.

Workers take what they can from a queue: there the load is no cause but an outcome, and jobs that hang
are in no latency. So what is asked is whether a canary pod finishes about as many as a baseline pod.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from causal_rollouts.evidence.frame import Floats, Frame
from causal_rollouts.evidence.tables import Schedule
from causal_rollouts.evidence.validity import untorn
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.stats.load_ratio import RateRatio, rate_ratio

SLACK = 0.05
"""Difference of load per pod that is borne: half of what the weights of small shares may be rounded by."""

PULLED_SLACK = 0.5
"""Half as many jobs again for a baseline pod is borne: a busy queue takes from a pod as it slows it, and how
much slower it may be is for the margin of latency to say."""

LEVEL = 0.99
"""Of the interval that must lie beyond the slack: a single look in a hundred errs at the bound, and heals."""

_ARMS = tuple(Arm)


@dataclass(frozen=True, slots=True)
class LoadState:
    """Requests of warm slots and the unit-bins in which they were due, by arm, since `since`."""

    since: int = 0
    canary: float = 0.0
    canary_bins: float = 0.0
    baseline: float = 0.0
    baseline_bins: float = 0.0


NOTHING_COUNTED = LoadState()


def counted(
    state: LoadState, schedule: Schedule, tally: Floats, begin: int, end: int, least: float
) -> LoadState:
    """Count bins [begin, end), torn ones left out. tally: of the bin before `begin` and on, [bin, arm, 3].

    Of a bin that is whole enough a lost unit-bin counts as time that was served.
    """
    if schedule.share_from != state.since:
        state = LoadState(schedule.share_from)
    canary, baseline = _ARMS.index(Arm.CANARY), _ARMS.index(Arm.BASELINE)
    sums = [state.canary, state.canary_bins, state.baseline, state.baseline_bins]
    for at in range(max(begin, state.since), end):
        if not untorn(tally, at - begin + 1, least):
            continue
        row = tally[at - begin + 1]
        due = row[:, 1] + row[:, 2]
        new = (row[canary, 0], due[canary], row[baseline, 0], due[baseline])
        sums = [a + float(b) for a, b in zip(sums, new, strict=True)]
    return LoadState(state.since, *sums)


def load_equality(
    frame: Frame, schedule: Schedule, state: LoadState, *, countable: bool, pulled: bool = False
) -> tuple[Check, ...]:
    """The check of this look; none before both arms carry traffic, or once promotion moves the fleet.

    countable: some metric has requests. pulled: the pods take work from a queue.
    """
    if frame.t0 is None or frame.until_stable is not None:
        return ()
    assigned = _assigned(frame, schedule)
    if assigned is None:
        return ()
    if pulled:
        return (_finished(state, countable=countable),)
    if max(assigned, 1.0 / assigned) > 1.0 + SLACK + 1e-9:
        note = (
            f"the weights give a canary pod {_times(assigned)} as much as a baseline pod; set weights in "
            "proportion to the pods of each arm"
        )
        return (_check(assigned, note, ok=False),)
    return (_observed(state, assigned, countable=countable),)


def _finished(state: LoadState, *, countable: bool) -> Check:
    """Only fewer of the canary count, and where the latency margin is for the rest."""
    if not countable or not _counted(state):
        return _check(math.nan, "no job was counted since the share changed", PULLED_SLACK, ok=None)
    found = _ratio(state)
    note = (
        f"a canary pod finishes {_times(found.ratio)} as many jobs as a baseline pod ({_times(found.lower)} "
        f"to {_times(found.upper)})"
    )
    ok = not found.upper < 1.0 / (1.0 + PULLED_SLACK)
    if not ok:
        note += "; jobs that hang or are given back are in no latency: look into the canary's logs"
    return _check(found.ratio, note, PULLED_SLACK, ok=ok)


def _counted(state: LoadState) -> bool:
    return min(state.canary_bins, state.baseline_bins) > 0 and state.canary + state.baseline > 0


def _ratio(state: LoadState) -> RateRatio:
    return rate_ratio(
        round(state.canary), state.canary_bins, round(state.baseline), state.baseline_bins, LEVEL
    )


def _observed(state: LoadState, assigned: float, *, countable: bool) -> Check:
    set_to = f"{_times(assigned)} was set"
    if not countable:
        note = "no metric counts requests; add latency or errors"
        return _check(math.nan, f"{set_to}, but {note}", ok=None)
    if not _counted(state):
        return _check(math.nan, f"{set_to}; no request was counted since the weights changed", ok=None)
    found = _ratio(state)
    note = (
        f"a canary pod serves {_times(found.ratio)} as much as a baseline pod ({_times(found.lower)} to "
        f"{_times(found.upper)}), {set_to}"
    )
    ok = not found.beyond(SLACK)
    if not ok:
        note += (
            "; a busier pod is slower for no fault of the release: check the endpoints of both Services, "
            "retries and sticky sessions; `second-opinion` of a recording takes the load off"
        )
    return _check(found.ratio, note, ok=ok)


def _assigned(frame: Frame, schedule: Schedule) -> float | None:
    """Weight per slot of the canary over that of the baseline; of slots that were there at the move."""
    there = [unit.arm for unit in frame.units if unit.ready <= schedule.share_from]
    canaries, baselines = there.count(Arm.CANARY), there.count(Arm.BASELINE)
    if not (canaries and baselines and schedule.intended > 0 and schedule.baseline > 0):
        return None
    return schedule.intended / canaries * baselines / schedule.baseline


def _check(ratio: float, note: str, slack: float = SLACK, *, ok: bool | None) -> Check:
    """Value: by how much the busier pod serves more, whichever arm it is of."""
    if math.isnan(ratio):
        # The constant itself: equal evidence stays equal.
        return Check(CheckName.LOAD, math.nan, slack, ok, note)
    value = math.inf if ratio == 0.0 else max(ratio, 1.0 / ratio) - 1.0
    return Check(CheckName.LOAD, value, slack, ok, note)


def _times(ratio: float) -> str:
    return "any times" if math.isinf(ratio) else f"{ratio:.3g} times"
