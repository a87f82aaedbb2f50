"""How a release ends: traffic first, pods after.

Weights go home and are seen at home before a pod of an arm is taken away; a
promotion that must be undone gives the fleet back without a dip in ready pods.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.control.observed import Observed
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.model.release import Release
from causal_rollouts.model.traffic import HOME, Change, Weights

DRAIN = 5.0
"""Seconds between weights seen at home and the end of the arms: requests under way are answered."""

LEFT_AS_IT_RUNS = frozenset({Outcome.DELETED, Outcome.BYPASSED})


def leave(release: Release, decision: Decision, now: float) -> Release:
    """Begin to end a release that is not promoted."""
    outcome = decision.outcome or Outcome.REVERTED
    undo = release.rolled and outcome not in LEFT_AS_IT_RUNS
    home = Change(now, release.stage if release.stage >= 0 else None, HOME, Phase.REVERTING)
    return replace(
        release,
        phase=Phase.REVERTING,
        since=now,
        outcome=outcome,
        why=decision.because,
        resume=None,
        timeline=(*release.timeline, home),
        desired=replace(
            release.desired, weights=HOME, roll=outcome is Outcome.BYPASSED, undo=undo, services=True
        ),
    )


def finish(release: Release, now: float, outcome: Outcome, why: str) -> Release:
    """Begin to end a release whose candidate is the fleet now."""
    home = Change(now, release.stage, HOME, Phase.FINISHING)
    return replace(
        release,
        phase=Phase.FINISHING,
        since=now,
        outcome=outcome,
        why=why,
        timeline=(*release.timeline, home),
        desired=replace(release.desired, weights=HOME),
    )


def clean_up(release: Release, observed: Observed, now: float) -> Release:
    """Weights seen at home, then the arms away, then done."""
    if observed.workers and release.desired.slots:
        return replace(release, desired=replace(release.desired, slots=()))
    release = at_home(release, observed, now)
    if release.home_since is None:
        return release
    if release.desired.slots:
        if not drained(release, now):
            return release
        return replace(release, desired=replace(release.desired, slots=()))
    if observed.slots or (release.desired.undo and not undone(release, observed)):
        return release
    return replace(release, phase=Phase.DONE, since=now)


def at_home(release: Release, observed: Observed, now: float) -> Release:
    """Since when all weights were seen at home, None while they were not."""
    if not observed.applied(HOME):
        return replace(release, home_since=None)
    return release if release.home_since is not None else replace(release, home_since=now)


def drained(release: Release, now: float) -> bool:
    """The arms had their time to answer requests under way."""
    return release.home_since is not None and now - release.home_since >= DRAIN


def undone(release: Release, observed: Observed) -> bool:
    """The fleet is the stable one again, whole, with no pod of the candidate left."""
    if observed.fleet is None:
        return True
    stable = observed.replica_set(release.stable_hash)
    others = [rs for rs in observed.fleet.replica_sets if rs.template_hash != release.stable_hash]
    return (
        observed.replica_set(release.candidate_hash) is None
        and not any(rs.replicas for rs in others)
        and not observed.fleet.orphans
        and stable is not None
        and stable.ready >= observed.fleet.target.replicas
    )


def on_the_way_home(release: Release, observed: Observed, overload: float) -> Weights:
    """Weights of a revert: all home, or canary first where stable could not carry the whole at once."""
    if release.desired.weights != HOME or observed.fleet is None or release.replicas == 0:
        return release.desired.weights
    held = observed.weights
    short = observed.ready_stable * overload < release.replicas
    if not short or held is None or held.baseline == 0 or observed.ready_slots(Arm.BASELINE) == 0:
        return HOME
    return Weights(canary=0, baseline=held.baseline, baselines=held.baselines)
