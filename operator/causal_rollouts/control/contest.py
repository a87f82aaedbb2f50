"""Somebody else moved the weights.

Bins that were served under weights which the release did not set are no
evidence. So traffic goes home, where it is safe, and rises again only as it
rose before: with ready pods, capacity, and a valid look after the disturbance.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.control.observed import Observed
from causal_rollouts.control.rise import lifetime
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.release import Release
from causal_rollouts.model.traffic import DISTURBED, HOME, POD_CONDITION, Change, Weights
from causal_rollouts.model.world import Traffic

FIGHTS = 3
"""Times that somebody may move the weights before a person has to settle it."""

AT_STAKE = frozenset(
    {
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.PROBING,
        Phase.PROMOTING,
        Phase.BAKING,
        Phase.PAUSED,
    }
)


def defend(release: Release, observed: Observed, grid: Grid, now: float) -> Release:
    """The state after the routes were compared with it; the same state when they agree."""
    traffic = observed.traffic
    # Before the first stage no pod with traffic runs the candidate: the weights are simply set again.
    if (
        release.stage < 0
        or release.phase not in AT_STAKE
        or not release.timeline
        or traffic is None
        or not traffic.routes
    ):
        return release
    if traffic.follow(release.desired.weights):
        return replace(release, astray=False) if release.astray else release
    recent = now - release.timeline[-1].time <= lifetime(grid)
    if recent and Phase.PROBING in {release.phase, release.resume} and traffic.follow(*_of_a_probe(release)):
        # A switch that did not get through, or came twice: the next pass sets what was drawn.
        return release
    before = release.timeline[-2].weights if len(release.timeline) > 1 else HOME
    if _never_seen(release) and traffic.follow(before, release.desired.weights):
        # A write that failed, or an operator that stopped before it: the shift has not happened yet.
        return replace(
            release,
            timeline=release.timeline[:-1],
            desired=replace(release.desired, weights=before),
        )
    if _known(release, traffic):
        return _still(release, now)
    return _disturbed(release, traffic.weights or HOME, now)


def last_move(timeline: tuple[Change, ...]) -> float:
    """When the weights last changed, whoever changed them."""
    held, moved = HOME, 0.0
    for change in timeline:
        if change.weights != held:
            held, moved = change.weights, change.time
    return moved


def advice(release: Release, observed: Observed) -> str:
    """What to do about somebody who keeps moving the weights, "" while nobody does."""
    if release.contested < FIGHTS or observed.traffic is None:
        return ""
    service = observed.traffic.service
    if any(route.slot for route in observed.traffic.routes):
        return (
            f"somebody else moved pods of the arms in or out of the traffic {release.contested} times; it "
            f"stays on stable. Find who writes the condition {POD_CONDITION} of these pods (kubectl get pods "
            "-o yaml --show-managed-fields), stop it, then resume"
        )
    texts = []
    for route in observed.traffic.routes:
        port = f", port: {route.port}" if route.port else ""
        lines = "\n".join(
            f"- {{name: {name}{port}, weight: {weight}}}"
            for name, weight in ((service, 100), (f"{service}-canary", 0), (f"{service}-baseline", 0))
        )
        texts.append(f'{route.kind} "{route.name}", backendRefs of each rule that names {service}:\n{lines}')
    return (
        f"somebody else moved the weights {release.contested} times; traffic stays on stable. Put this into "
        "Git, let the tool that applies it ignore each backend's weight (Argo CD: ignoreDifferences and "
        f"ApplyOutOfSyncOnly; Flux: spec.ignore; docs/gitops.md), then resume. {'; '.join(texts)}"
    )


def _never_seen(release: Release) -> bool:
    """The newest weights of this stage were written down and not yet seen on the route."""
    shifting = Phase.SHIFTING in {release.phase, release.resume}
    newest = release.timeline[-1]
    return (
        shifting
        and (release.stage_since is None or release.stage_since < newest.time)
        and newest.stage == release.stage
        and newest.weights == release.desired.weights != HOME
    )


def _of_a_probe(release: Release) -> set[Weights]:
    """What a probe sets: all home, or the weights of its stage."""
    own = {Phase.SHIFTING, Phase.PROBING}
    mine = (c for c in release.timeline if c.stage == release.stage and c.phase in own)
    return {HOME, *(change.weights for change in mine)}


def _known(release: Release, traffic: Traffic) -> bool:
    """This disturbance is written down, and the weights were not seen back since."""
    before = [change.weights for change in release.timeline[-3:-2]]
    marked = [c.weights for c in release.timeline[-2:-1] if c.phase == DISTURBED]
    if not release.astray or not marked:
        return False
    half_way = traffic.weights is None and traffic.follow(HOME, *marked, *before)
    return half_way or (traffic.weights or HOME) in marked


def _still(release: Release, now: float) -> Release:
    return replace(release, timeline=(*release.timeline[:-1], replace(release.timeline[-1], time=now)))


def _disturbed(release: Release, held: Weights, now: float) -> Release:
    """Every bin since the weights were last known to stand is lost."""
    stage, last = release.stage, release.timeline[-1]
    since = max(last.time, release.looked or 0.0)
    foreign = Change(since, stage, held, DISTURBED)
    spoiled = replace(release, contested=release.contested + 1, astray=True, usable=False, share_ok=False)
    if release.rolled:
        # The fleet itself carries the candidate by now, so these weights are no rise; they keep the contrast.
        again = Change(now, stage, release.desired.weights, last.phase)
        return replace(spoiled, timeline=(*release.timeline, foreign, again))
    home = Change(now, stage, HOME, Phase.SHIFTING)
    paused = release.phase is Phase.PAUSED
    return replace(
        spoiled,
        timeline=(*release.timeline, foreign, home),
        desired=replace(release.desired, weights=HOME),
        phase=Phase.PAUSED if paused else Phase.SHIFTING,
        resume=Phase.SHIFTING if paused else None,
        since=release.since if paused else now,
        stage_since=None,
        invalid_since=None,
        invalid_seconds=0.0,
    )
