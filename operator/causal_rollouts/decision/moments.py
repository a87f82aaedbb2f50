"""What decisions stood on besides the evidence, as it changed, so that each can be taken again.

Pods, routes and people are gone when a release is looked at again. What a pass
saw of them is kept where it looked or decided, and where it was news.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from causal_rollouts.decision.situation import Facts, Situation
from causal_rollouts.model.people import Approval
from causal_rollouts.model.reasons import Phase, Verdict
from causal_rollouts.model.release import Desired, Release
from causal_rollouts.model.traffic import Change, Weights

KEPT = 300
"""Moments in one record: many times what an ordinary release takes; what comes after is not kept."""

NOTHING = Facts()
"""A pass that saw nothing besides."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules read of a release, but for timeline, approvals and verdict. Fields as in `Release`.

    moves: changes of the timeline made so far. canary: its share that was desired, in thousandths.
    """

    phase: Phase
    stage: int = -1
    stage_since: float | None = None
    invalid_since: float | None = None
    invalid_seconds: float = 0.0
    shared_since: float | None = None
    blocked_since: float | None = None
    resume: Phase | None = None
    paused_by: str = ""
    why: str = ""
    moves: int = 0
    canary: int = 0
    aa: bool = False


_AS_IN_RELEASE = tuple(f.name for f in fields(Standing) if f.name not in {"moves", "canary", "aa"})


@dataclass(frozen=True, slots=True)
class Moment:
    """In force from the pass at `time` until the next."""

    time: float
    standing: Standing
    facts: Facts = NOTHING


def noted(
    moments: tuple[Moment, ...], situation: Situation, *, looked: bool, told: bool
) -> tuple[Moment, ...]:
    """With the moment of a pass that says more than the last.

    looked: it asked for evidence, and when it did is known. told: its decision is a line of the record.
    """
    if not (looked or told) or len(moments) >= KEPT:
        return moments
    now = Moment(situation.now, _standing(situation.release), situation.facts)
    newest = moments[-1] if moments else None
    same = newest is not None and (newest.standing, newest.facts) == (now.standing, now.facts)
    return moments if looked and same else (*moments, now)


def again(
    moment: Moment, timeline: tuple[Change, ...], approvals: tuple[Approval, ...], verdict: Verdict | None
) -> Release:
    """The release as the rules read it at that moment. verdict: of the look before."""
    then = moment.standing
    blank = Release("", "candidate", "candidate" if then.aa else "stable", "", then.phase, moment.time)
    return replace(
        blank,
        **{name: getattr(then, name) for name in _AS_IN_RELEASE},
        timeline=timeline[: then.moves],
        desired=Desired(weights=Weights(then.canary, 0)),
        approvals=approvals,
        verdict=verdict,
    )


def _standing(release: Release) -> Standing:
    return Standing(
        **{name: getattr(release, name) for name in _AS_IN_RELEASE},
        moves=len(release.timeline),
        canary=release.desired.weights.canary,
        aa=release.is_aa,
    )
