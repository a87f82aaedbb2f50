"""The stage's clock outside the operator: it stands while data are invalid, as in a live release."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Phase, Reason
from causal_rollouts.model.release import Release

BLIND = frozenset({Reason.PROVIDER_ERROR, Reason.NO_DATA, Reason.INCOMPLETE_DATA, Reason.SHARE_MISMATCH})
"""Holds that are about data: time passed under them is not the release's."""


def clocked(release: Release, decision: Decision, now: float) -> Release:
    """The release after a decision, with the time of invalid data noted."""
    blind = decision.reason in BLIND
    if release.phase is not Phase.OBSERVING or blind == (release.invalid_since is not None):
        return release
    if blind:
        return replace(release, invalid_since=now)
    lost = now - (release.invalid_since or now)
    return replace(release, invalid_since=None, invalid_seconds=release.invalid_seconds + lost)
