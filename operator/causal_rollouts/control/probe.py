"""A probe as it is carried out: weights home and back, each at its drawn time.

Off is always allowed. Back on is a rise as any other, so a leg may begin late or
not at all; the test goes by the draw and not by what became of it.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rise import may_rise, rung
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.switchback import drawn_for, probes_begun
from causal_rollouts.model.traffic import HOME, Change


def begin(release: Release, registration: Registration, now: float) -> Release:
    """The first leg; the drawn bins are counted from the next one on."""
    plan = registration.probe
    if plan is None:
        return release
    on = plan.legs(registration.seed, probes_begun(release.timeline))[0]
    weights = release.desired.weights if on else HOME
    return replace(
        release,
        phase=Phase.PROBING,
        since=now,
        shared_since=None,
        timeline=(*release.timeline, Change(now, release.stage, weights, Phase.PROBING)),
        desired=replace(release.desired, weights=weights),
    )


def switch(release: Release, registration: Registration, observed: Observed, now: float) -> Release:
    """The weights of the leg that was drawn for this bin; after the last one they stay until it is judged."""
    plan, grid = registration.probe, registration.grid
    on = drawn_for(plan, registration.seed, grid, release.timeline, now) if plan is not None else None
    if on is None:
        return release
    weights = rung(release, registration).weights if on else HOME
    if weights == release.desired.weights:
        return release
    if on and not may_rise(release, registration, observed, weights, now):
        return release
    return replace(
        release,
        timeline=(*release.timeline, Change(now, release.stage, weights, Phase.PROBING)),
        desired=replace(release.desired, weights=weights),
    )


def settle(release: Release, now: float) -> Release:
    """The stage goes on where it was, with its clock begun anew and its share of traffic to be seen again."""
    return replace(
        release.shifting(now),
        timeline=(*release.timeline, Change(now, release.stage, release.desired.weights, Phase.SHIFTING)),
    )
