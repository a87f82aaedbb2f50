"""Does traffic follow the weights?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causal_rollouts.evidence.frame import Floats
from causal_rollouts.evidence.tables import Schedule, ShareTable
from causal_rollouts.evidence.validity import untorn
from causal_rollouts.model.evidence import ShareTest
from causal_rollouts.stats.sample_ratio import sample_ratio

LEAST = 200
"""Requests before a share is believed."""


@dataclass(frozen=True, slots=True)
class ShareState:
    """Requests since `since`, the first bin under the weights in force; bins below `next_bin` are counted."""

    since: int
    next_bin: int
    canary: float
    total: float


def counted(
    state: ShareState, table: ShareTable, schedule: Schedule, tally: Floats, end: int, least: float
) -> ShareState:
    """Count the bins of the table that are new, up to but without `end`.

    tally: of the same metric, of the bin before `state.next_bin` and on. Torn bins are left out: lost
    requests come late and would be taken for another share.
    """
    if schedule.share_from != state.since:
        state = ShareState(schedule.share_from, state.next_bin, 0.0, 0.0)
    canary, total = state.canary, state.total
    for at in range(state.next_bin, end):
        if at < state.since:
            continue
        if not untorn(tally, at - state.next_bin + 1, least):
            continue
        canary += float(table.canary[at - table.first])
        total += float(table.total[at - table.first])
    return ShareState(state.since, max(state.next_bin, end), canary, total)


def share_test(state: ShareState, schedule: Schedule, *, countable: bool, pulled: bool = False) -> ShareTest:
    """The test of what was counted. countable: some metric has requests.

    pulled: workers take what they can, so their share is an outcome of the release and no weight holds it;
    asked is only that the canary takes work at all.
    """
    n, intended = state.total, schedule.intended
    if intended <= 0:
        return ShareTest(None, n, np.nan, intended, "the canary has no traffic yet")
    if not countable:
        return ShareTest(None, n, np.nan, intended, "no metric counts requests; add latency or errors")
    if pulled and n >= LEAST:
        idle = f"the canary took none of {n:.0f} jobs; see whether its pods read the queue"
        return ShareTest(state.canary > 0, n, state.canary / n, intended, "" if state.canary > 0 else idle)
    found = sample_ratio(state.canary, n, intended, least=LEAST)
    if found.ok is None:
        note = f"{n:.0f} of {LEAST} requests seen since the weights changed"
    elif found.ok:
        note = ""
    else:
        note = (
            f"the canary gets {found.p_hat:.2%} of requests, {intended:.2%} was set (tolerance "
            f"{found.tolerance:.2%}); check the route, its endpoints and sticky sessions"
        )
    return ShareTest(found.ok, n, found.p_hat, intended, note)
